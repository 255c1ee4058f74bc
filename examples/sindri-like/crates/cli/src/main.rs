//! `forge NAME RANGE`: which version would be installed.
use forge_core::{counted, resolve, Extension};
use semver_of::parse;

mod semver_of;

fn main() {
    let known = known();
    let mut words = std::env::args().skip(1);
    match (words.next(), words.next()) {
        (Some(name), Some(range)) => match resolve(&known, &name, &parse(&range)) {
            Some(found) => println!("{} {}", found.name, found.version),
            None => std::process::exit(1),
        },
        _ => println!("{}", counted(known.len())),
    }
}

fn known() -> Vec<Extension> {
    ["rust 1.90.0", "rust 1.92.0", "node 22.1.0"]
        .iter()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, version)| Extension { name: name.into(), version: version.parse().expect("a version") })
        .collect()
}
