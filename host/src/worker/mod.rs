//! The guest's process: one for each plugin, sandboxed before the library is loaded, supervised from here.
