//! Wrong input: what can be known without a host is told before one is connected to.

use crate::hosts::Hosts;

#[test]
fn what_is_wrong_with_the_site_is_told_before_any_connection() {
    let hosts = Hosts::new(1, "[file.\"/srv/a\"\ncontent = \"\"\n");
    for (words, says) in [
        ("plan web1", "error[syntax]: unclosed table"),
        ("apply web1 wbe1 --yes", "did you mean `web1`?"),
        ("apply web1 --yes --site nowhere", "there is no keel.toml in nowhere"),
        ("plan -f nothing.toml root@127.0.1.1", "there is no file nothing.toml"),
        ("apply web1", "there is no terminal to ask at: say --yes"),
    ] {
        let ran = hosts.keel(words);
        assert!(ran.code == 3 && ran.err.contains(says), "{words}: {ran:?}");
    }
    assert!(!hosts.log(1).contains("Connection from"), "{}", hosts.log(1));
}

#[test]
fn what_only_a_host_can_show_to_be_wrong_is_told_once() {
    let hosts = Hosts::new(2, "[file.\"/srv/{{ facts.nothing }}\"]\ncontent = \"\"\n");
    let ran = hosts.keel("apply web* --yes");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.err.matches("error[bad-template]").count(), 1, "{ran:?}");
    assert!(ran.err.ends_with("for web1, web2, where nothing was done\n\n"), "{ran:?}");
    assert_eq!(ran.out, "failed       web1, web2\n2 hosts: 2 failed\n");
    // Beside something worse it is a failure like any other.
    assert_eq!(hosts.keel("apply web1 gone --yes").code, 1);
}
