//! `[RUN] [HOST]…`: a number that stands first is a run.

/// The run, and the hosts. A host whose name is a number is written as a pattern, `[7]`.
pub fn split_run(mut words: Vec<String>) -> (Option<u64>, Vec<String>) {
    let run = words.first().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    let run = run.and_then(|word| word.parse().ok());
    if run.is_some() {
        words.remove(0);
    }
    (run, words)
}

#[cfg(test)]
mod tests {
    use super::split_run;

    #[test]
    fn a_number_is_a_run_where_it_stands_first() {
        for (words, run, hosts) in [
            ("", None, ""),
            ("2", Some(2), ""),
            ("web1", None, "web1"),
            ("2 web1 @db", Some(2), "web1 @db"),
            ("web1 2", None, "web1 2"),
            ("[7]", None, "[7]"),
            ("2 7", Some(2), "7"),
            ("+2", None, "+2"),
            ("99999999999999999999", None, "99999999999999999999"),
        ] {
            let split: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            let hosts: Vec<String> = hosts.split_whitespace().map(str::to_owned).collect();
            assert_eq!(split_run(split), (run, hosts), "{words}");
        }
    }
}
