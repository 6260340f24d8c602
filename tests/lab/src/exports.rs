//! Export files: what an administrator would download from Console pages that have no public API.

use crate::areas::{AREAS, Export};
use crate::state::State;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// Writes all export files of the deployment into a folder, which is made if it is missing.
pub(crate) fn write(state: &State, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for export in AREAS.iter().flat_map(|area| (area.exports)(state)) {
        let mut file = fs::File::create(folder.join(export.file))?;
        file.write_all(csv(&export).as_bytes())?;
        // Files are as old as the deployment says, which need not be the machine's time.
        file.set_modified(state.now.into())?;
    }
    Ok(())
}

/// Comma-separated, quoted where needed, with a line of column names.
fn csv(export: &Export) -> String {
    let head = export.columns.iter().map(|name| field(name)).collect::<Vec<_>>().join(",");
    let rows = export.rows.iter().map(|row| row.iter().map(|cell| field(cell)).collect::<Vec<_>>().join(","));
    std::iter::once(head).chain(rows).map(|line| line + "\r\n").collect()
}

fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
