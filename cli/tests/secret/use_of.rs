//! Secrets of a site in a catalog, and values that come by other ways than the arguments.

use crate::laptop::Laptop;

const SITE: &str = "[inputs.password]\ntype = \"secret\"\n[inputs.port]\ntype = \"int\"\ndefault = 1\n\
                    [file.\"/keel-test-not-made\"]\ncontent = \"{{ inputs.password }}\"\n";

#[test]
fn a_value_comes_from_a_file_and_stays_out_of_what_is_said() {
    let laptop = Laptop::new();
    laptop.write("site/site.toml", SITE);
    let odd = "a\"b\\\u{7f}\t'hunter2'";
    laptop.write("value", &format!("{odd}\n"));
    let state = laptop.path("state").display().to_string();
    for (words, input) in [("password=../value", ""), ("password=-", odd)] {
        let plan = ["plan", "-f", "site.toml", "--local", "--state-dir", &state, "--set-file", words];
        let ran = laptop.fed(&plan, input);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.out.contains(&format!("{} bytes", odd.len())) || ran.out.contains("<secret"), "{ran:?}");
        assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn a_file_that_gives_no_value_is_a_wrong_command_line() {
    let laptop = Laptop::new();
    laptop.write("site/site.toml", SITE);
    for words in ["password", "password=gone", "port=../value"] {
        laptop.write("value", "hunter2");
        let ran = laptop.keel(&["validate", "-f", "site.toml", "--set-file", words]);
        assert!(ran.code == 3 && !ran.err.contains("panicked"), "{words}: {ran:?}");
    }
}
