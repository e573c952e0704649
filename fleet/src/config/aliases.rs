//! The hosts that a configuration names one by one, for who takes such a file as a list of hosts.

use super::words;

/// What stands behind `Host`, each once, in its order. Patterns and what is shut out name nobody; so does a line that is wrong, which who
/// reads it for a host is told.
pub(crate) fn aliases(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let blocks = text.lines().filter_map(words::split).filter(|(keyword, _)| keyword == "host");
    for word in blocks.flat_map(|(_, rest)| words::arguments(rest).unwrap_or_default()) {
        if !word.starts_with('!') && !word.contains(['*', '?']) && !names.contains(&word) {
            names.push(word);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::aliases;

    #[test]
    fn names_and_no_patterns() {
        let text = "Port 22\nHost web \"db\"\n  HostName 192.0.2.1\nhost=lb web !x 192.0.2.*\nHost *\nMatch host y\n";
        assert_eq!(aliases(text), ["web", "db", "lb"]);
        assert_eq!(aliases("Host \"web\n"), [""; 0]);
    }
}
