//! Seeded values: every number of the lab is a function of the seed and a name, so the same seed gives the same bytes.

/// One round of splitmix64: a bijection on 64 bits whose output looks random.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a over bytes: a hash that stays the same across compilers and releases.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |state, byte| {
        (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A value for one purpose (`salt`) and one item.
pub(crate) fn draw(seed: u64, salt: &str, item: u64) -> u64 {
    mix(mix(seed ^ hash(salt.as_bytes())).wrapping_add(item))
}

/// `len` lower-case hexadecimal digits.
pub(crate) fn hex(seed: u64, salt: &str, item: u64, len: usize) -> String {
    (0u64..)
        .flat_map(|block| format!("{:016x}", draw(seed, salt, item.wrapping_mul(1009) + block)).into_bytes())
        .take(len)
        .map(char::from)
        .collect()
}
