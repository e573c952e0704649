//! The house rules hold for the whole project.

#[test]
fn the_house_is_tidy() {
    let found = xtask::tidy::check::project(&xtask::cmd::workspace()).expect("the project can be read");
    let list: String = found.iter().map(|finding| format!("{finding}\n")).collect();
    assert!(found.is_empty(), "{} findings:\n{list}", found.len());
}
