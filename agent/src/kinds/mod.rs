//! The list of kinds. A kind is one file beside this one, and one word in the list.

/// Declares the modules and the list from the same words: `file::File` is the struct `File` in `file.rs`.
macro_rules! kinds {
    ($($module:ident::$kind:ident),* $(,)?) => {
        $(mod $module;)*

        /// All kinds, in the order in which the documentation shows them.
        pub static ALL: &[&dyn crate::kind::Described] = &[$({
            static KIND: crate::kind::Registration<$module::$kind> = crate::kind::registered();
            &KIND
        }),*];

        /// The same, as the engine sees them.
        pub static LIVE: &[&dyn crate::kind::Registered] = &[$({
            static KIND: crate::kind::Registration<$module::$kind> = crate::kind::registered();
            &KIND
        }),*];
    };
}

kinds! {
    package::Package,
    file::File,
    directory::Directory,
    symlink::Symlink,
    line::Line,
    service::Service,
    systemd_unit::SystemdUnit,
    user::User,
    group::Group,
    sysctl::Sysctl,
    mount::Mount,
    exec::Exec,
    reboot::Reboot,
}
