//! Which extensions a workspace gets: the newest version of each that its range allows.
pub use semver::{Version, VersionReq};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    pub name: String,
    pub version: Version,
}

/// The newest version of an extension that the range allows.
pub fn resolve<'a>(known: &'a [Extension], name: &str, range: &VersionReq) -> Option<&'a Extension> {
    known
        .iter()
        .filter(|extension| extension.name == name && range.matches(&extension.version))
        .max_by(|a, b| a.version.cmp(&b.version))
}

/// `3 extensions`, for people.
pub fn counted(count: usize) -> String {
    let mut buffer = itoa::Buffer::new();
    format!("{} {}", buffer.format(count), if count == 1 { "extension" } else { "extensions" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(1), "1 extension");
        assert_eq!(counted(3), "3 extensions");
    }
}
