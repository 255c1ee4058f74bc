use std::process::Command;

#[test]
fn prints_what_it_would_install() {
    let output = Command::new(env!("CARGO_BIN_EXE_forge")).args(["rust", "^1"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "rust 1.92.0\n");
}
