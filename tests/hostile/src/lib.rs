//! A plugin whose every check misbehaves in a way of its own. `hostile.well-behaved` does not; it is what has to
//! survive all the others.

use std::hint::black_box;
use std::io::Write;
use tancheck_plugin_api::prelude::*;

const ROWS: Input = Input::new("hostile.rows", "rows").sources(&[Source::rest("/api/v2/users")]);
const STEPS: Remedy = Remedy::new(&[Step::consult("nobody", "this is a test")]).who("anybody");

type Verdict = Result<(), Undecided>;

macro_rules! checks {
    ($($name:ident $id:literal $judge:expr;)*) => {
        $(const $name: Check = Check::automated(concat!("hostile.", $id))
            .title("The plugin behaves")
            .cadence(&[Cadence::Weekly])
            .reads(&[&ROWS])
            .guide(&[guide("Nowhere", 1)])
            .what("Misbehaves.")
            .why("The host has to survive it.")
            .remedy(&STEPS)
            .judge($judge);)*
        const CHECKS: &[&Check] = &[$(&$name),*];
    };
}

checks! {
    WELL_BEHAVED "well-behaved" |facts, report| {
        let rows: Vec<records::Reference> = facts.rows(&ROWS)?;
        report.note(format!("{} rows", rows.len()));
        Ok(())
    };
    PANIC "panic" |_, _| panic!("boom");
    PANIC_ANY "panic-any" |_, _| std::panic::panic_any(7_u32);
    DOUBLE_PANIC "double-panic" |_, _| {
        let _second = PanicsWhenDropped;
        panic!("first");
    };
    ABORT "abort" |_, _| std::process::abort();
    STACK "stack" |_, report| {
        report.note(deeper(1).to_string());
        Ok(())
    };
    NULL_WRITE "null-write" |_, _| null_write();
    LOOP "loop" |_, _| loop { black_box(0); };
    SLEEP "sleep" |_, _| {
        std::thread::sleep(std::time::Duration::from_secs(3600));
        Ok(())
    };
    MEMORY "memory" |_, report| {
        let mut hoard = Vec::new();
        while hoard.len() < 1 << 20 {
            hoard.push(black_box(vec![1_u8; 1 << 20]));
        }
        report.note(format!("got {} MiB", hoard.len()));
        Ok(())
    };
    FLOOD "flood" |_, _| {
        let line = [b'x'; 1 << 16];
        let mut out = std::io::stdout().lock();
        for _ in 0..256 {
            let _ = out.write_all(&line);
        }
        Ok(())
    };
    ESCAPES "escapes" |_, _| {
        eprintln!("\x1b[31mred\x1b[0m and \x07loud");
        panic!("\x1b[31mred");
    };
    EXIT_0 "exit-0" |_, _| std::process::exit(0);
    EXIT_3 "exit-3" |_, _| std::process::exit(3);
    FORK "fork" |_, report| {
        // SAFETY: never allowed to happen; a child would leave at once.
        let child = unsafe { libc::fork() };
        if child == 0 {
            unsafe { libc::_exit(0) };
        }
        report.note(format!("child {child}"));
        Ok(())
    };
    RUN "run" |_, report| {
        report.note(format!("{:?}", std::process::Command::new("/bin/true").status()));
        Ok(())
    };
    READ_FILE "read-file" |_, report| {
        report.note(format!("{:?}", std::fs::read("/etc/passwd").map(|bytes| bytes.len())));
        report.note(format!("{:?}", std::fs::read("/proc/self/maps").map(|bytes| bytes.len())));
        report.note(format!("{:?}", std::fs::read_dir("/").map(Iterator::count)));
        report.note(format!("{} variables", std::env::vars().count()));
        Ok(())
    };
    DESCRIPTORS "descriptors" |_, report| {
        // SAFETY: looks at numbers; `lseek` changes nothing that anybody uses.
        let open = |&descriptor: &i32| unsafe {
            libc::lseek(descriptor, 0, libc::SEEK_CUR) >= 0 || *libc::__errno_location() != libc::EBADF
        };
        report.note(format!("{:?}", (0..256).filter(open).collect::<Vec<i32>>()));
        Ok(())
    };
    WRITE_FILE "write-file" |_, report| {
        let file = std::env::temp_dir().join("tancheck-hostile-was-here");
        report.note(format!("{:?}", std::fs::write(file, "x")));
        Ok(())
    };
    SOCKET "socket" |_, report| {
        report.note(format!("{:?}", std::net::TcpStream::connect("127.0.0.1:9")));
        Ok(())
    };
    KILL "kill" |_, report| {
        // SAFETY: signal 0 harms nobody, and the call is as forbidden as any other signal.
        report.note(format!("{}", unsafe { libc::kill(libc::getppid(), 0) }));
        Ok(())
    };
    LIMITS "limits" |_, report| {
        let more = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: the structure is whole.
        report.note(format!("{}", unsafe { libc::setrlimit(libc::RLIMIT_AS, &more) }));
        Ok(())
    };
    CLOSE "close" |_, _| {
        for descriptor in 0..64 {
            // SAFETY: that others own these descriptors is the misdeed.
            unsafe { libc::close(descriptor) };
        }
        Ok(())
    };
    GARBAGE "garbage" |_, _| {
        let garbage = [0xff_u8; 64];
        // SAFETY: writes bytes of a local array to whatever descriptor 3 is.
        unsafe { libc::write(3, garbage.as_ptr().cast(), garbage.len()) };
        Ok(())
    };
    HUGE "huge" |_, report| {
        report.note("x".repeat(20 << 20));
        Ok(())
    };
    MANY "many" |_, report| {
        for key in 0..60_000 {
            report.finding(Finding::on(Subject::new("row", key, "row")));
        }
        Ok(())
    };
    FOREIGN "foreign" |_, report| {
        report.measure("other.series", 1.0, "rows");
        Ok(())
    };
    THREAD "thread" |_, _| {
        std::thread::spawn(|| loop { black_box(0); });
        Ok(())
    };
    THREAD_STACK "thread-stack" |_, report| {
        let told = std::thread::spawn(|| deeper(1)).join();
        report.note(format!("{told:?}"));
        Ok(())
    };
}

fn null_write() -> Verdict {
    // SAFETY: none; that is the misdeed.
    unsafe { black_box(std::ptr::null_mut::<u8>()).write_volatile(1) };
    Ok(())
}

#[expect(unconditional_recursion, reason = "that is the misdeed")]
fn deeper(depth: u64) -> u64 {
    let room = black_box([depth; 64]);
    deeper(depth + 1) + room[0]
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("second");
    }
}

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("hostile", "Hostile", env!("CARGO_PKG_VERSION")).checks(CHECKS);

tancheck_plugin_api::export_plugin!(PLUGIN);
