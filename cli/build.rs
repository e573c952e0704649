//! Has `keel` built again when the library or the starting site that it carries changes.

fn main() {
    for directory in ["../modules", "../roles", "starter"] {
        let mut stdout = std::io::stdout();
        let told =
            std::io::Write::write_fmt(&mut stdout, format_args!("cargo:rerun-if-changed={directory}\n"));
        assert!(told.is_ok(), "cargo listens");
    }
}
