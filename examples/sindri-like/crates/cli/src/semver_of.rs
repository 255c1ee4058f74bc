use forge_core::VersionReq;

/// A range as written on the command line; anything when it is none.
pub fn parse(range: &str) -> VersionReq {
    VersionReq::parse(range).unwrap_or(VersionReq::STAR)
}
