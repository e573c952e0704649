//! Holds what the service manager says of units over its socket to what `systemctl show` says: `told_units UNIT…`, as root, where systemd runs.
//! The lab runs it on its hosts. It must not change anything.

/// Fails where both do not say the same.
#[cfg(target_os = "linux")]
fn main() -> Result<(), String> {
    use agent::os::bus::Systemd;
    use agent::os::host::{units_by_program, units_by_socket};

    let units: Vec<String> = std::env::args().skip(1).collect();
    let units: Vec<&str> = units.iter().map(String::as_str).collect();
    let manager = Systemd::reach().ok_or("systemd does not listen to us")?;
    let socket = units_by_socket(manager, &units).map_err(|failure| failure.to_string())?;
    let program = units_by_program(&units).map_err(|failure| failure.to_string())?;
    let told = units.iter().zip(socket.iter().zip(&program));
    let other: Vec<String> = told
        .filter(|(_, (socket, program))| socket != program)
        .map(|(unit, (socket, program))| {
            format!("{unit}: {socket:?} by the socket, {program:?} by systemctl")
        })
        .collect();
    if other.is_empty() { Ok(()) } else { Err(other.join("\n")) }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
