//! Globs over paths that are relative to a directory: `*`, `?` and `[…]` stop at a slash, `**` does not. One reading of them for the compiler
//! and for hosts.

use glob::{MatchOptions, Pattern};

/// Some globs.
#[derive(Clone, Debug, Default)]
pub struct Globs(Vec<Pattern>);

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl Globs {
    /// Adds one.
    ///
    /// # Errors
    /// It is none; why, in words.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        self.0.push(Pattern::new(text).map_err(|error| format!("`{text}` is no glob: {error}"))?);
        Ok(())
    }

    /// True where one of them matches the whole of `path`, which is relative.
    pub fn is_match(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches_with(path, OPTIONS))
    }
}

#[cfg(test)]
mod tests {
    use super::Globs;

    #[test]
    fn stars_stop_at_slashes_unless_there_are_two() {
        for (glob, path, is_match) in [
            ("*.local", "a.local", true),
            ("*.local", "sub/a.local", false),
            ("**/*.local", "sub/deep/a.local", true),
            ("**/*.local", "a.local", true),
            ("cache/**", "cache/a/b", true),
            ("cache/**", "cache", false),
            ("a?c", "a/c", false),
            ("[ab]", "b", true),
            ("kept", "kept", true),
            (".*", ".hidden", true),
            ("*", ".hidden", true),
        ] {
            let mut globs = Globs::default();
            globs.add(glob).unwrap();
            assert_eq!(globs.is_match(path), is_match, "{glob} {path}");
        }
    }

    #[test]
    fn what_is_no_glob_is_told() {
        let mut globs = Globs::default();
        assert_eq!(
            globs.add("["),
            Err("`[` is no glob: Pattern syntax error near position 0: invalid range pattern".into())
        );
        assert!(!globs.is_match("["));
    }
}
