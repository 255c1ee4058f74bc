use forge_core::{resolve, Extension};
use semver::{Version, VersionReq};

fn extension(name: &str, version: &str) -> Extension {
    Extension { name: name.into(), version: Version::parse(version).unwrap() }
}

#[test]
fn takes_the_newest_that_the_range_allows() {
    let known = [extension("rust", "1.90.0"), extension("rust", "1.92.0"), extension("rust", "2.0.0")];
    let found = resolve(&known, "rust", &VersionReq::parse("^1.90").unwrap());
    assert_eq!(found.unwrap().version, Version::new(1, 92, 0));
}

#[test]
fn knows_nothing_of_others() {
    assert_eq!(resolve(&[extension("go", "1.26.0")], "rust", &VersionReq::STAR), None);
}
