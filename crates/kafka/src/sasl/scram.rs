//! SCRAM (RFC 5802): both sides prove that they know a password without sending it.

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Hash {
    Sha256,
    Sha512,
}

pub(super) struct Scram<'a> {
    hash: Hash,
    password: &'a str,
    nonce: String,
    /// The first message without its head.
    bare: String,
}

/// So often is a hash repeated at most: a server that asks for more keeps us busy.
const MOST_ITERATIONS: u32 = 1_000_000;

impl<'a> Scram<'a> {
    pub(super) fn new(hash: Hash, user: &str, password: &'a str) -> Self {
        // Each `RandomState` has a key of its own; an attacker learns nothing from it, the nonce only must not repeat.
        let nonce: String =
            (0..2).map(|part| format!("{:016x}", RandomState::new().hash_one(part))).collect();
        Scram::with_nonce(hash, user, password, nonce)
    }

    fn with_nonce(hash: Hash, user: &str, password: &'a str, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={user},r={nonce}");
        Scram { hash, password, nonce, bare }
    }

    pub(super) fn first(&self) -> Vec<u8> {
        format!("n,,{}", self.bare).into_bytes()
    }

    /// The answer to the server's first message, and what the server must answer to that.
    pub(super) fn last(&self, server: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
        let server = std::str::from_utf8(server).map_err(|_| "SCRAM: the broker's message is no text")?;
        let field = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name));
        let wrong = || format!("SCRAM: the broker's message is '{server}'");
        let (nonce, salt, iterations) =
            (field("r=").ok_or_else(wrong)?, field("s=").ok_or_else(wrong)?, field("i=").ok_or_else(wrong)?);
        let salt = STANDARD.decode(salt).map_err(|_| wrong())?;
        let iterations: u32 = iterations.parse().map_err(|_| wrong())?;
        if !nonce.starts_with(&self.nonce) || iterations == 0 || iterations > MOST_ITERATIONS {
            return Err(wrong());
        }
        let last = format!("c=biws,r={nonce}");
        let message = format!("{},{server},{last}", self.bare);
        let salted = self.repeated(&salt, iterations);
        let client_key = self.hmac(&salted, b"Client Key");
        let signature = self.hmac(&self.digest(&client_key), message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, bit)| key ^ bit).collect();
        let expected = self.hmac(&self.hmac(&salted, b"Server Key"), message.as_bytes());
        Ok((
            format!("{last},p={}", STANDARD.encode(proof)).into_bytes(),
            format!("v={}", STANDARD.encode(expected)).into_bytes(),
        ))
    }

    fn digest(&self, bytes: &[u8]) -> Vec<u8> {
        match self.hash {
            Hash::Sha256 => Sha256::digest(bytes).to_vec(),
            Hash::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn hmac(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let block = match self.hash {
            Hash::Sha256 => 64,
            Hash::Sha512 => 128,
        };
        let mut key = if key.len() > block { self.digest(key) } else { key.to_vec() };
        key.resize(block, 0);
        let padded = |pad: u8, message: &[u8]| {
            let mut bytes: Vec<u8> = key.iter().map(|byte| byte ^ pad).collect();
            bytes.extend_from_slice(message);
            self.digest(&bytes)
        };
        padded(0x5c, &padded(0x36, message))
    }

    /// PBKDF2 of one block.
    fn repeated(&self, salt: &[u8], iterations: u32) -> Vec<u8> {
        let mut block = self.hmac(self.password.as_bytes(), &[salt, &1_u32.to_be_bytes()].concat());
        let mut sum = block.clone();
        for _ in 1..iterations {
            block = self.hmac(self.password.as_bytes(), &block);
            sum.iter_mut().zip(&block).for_each(|(sum, bit)| *sum ^= bit);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn the_example_of_the_specification() {
        let scram = Scram::with_nonce(Hash::Sha256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(scram.first(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server =
            b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (proof, signature) = scram.last(server).unwrap();
        assert_eq!(
            String::from_utf8(proof).unwrap(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(signature, b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn servers_that_change_the_nonce_are_refused() {
        let scram = Scram::with_nonce(Hash::Sha512, "a,b=c", "x", "mine".to_owned());
        assert_eq!(scram.first(), b"n,,n=a=2Cb=3Dc,r=mine");
        assert!(scram.last(b"r=other,s=AAAA,i=10").is_err());
        assert!(scram.last(b"r=mine1,s=AAAA,i=0").is_err());
        assert!(scram.last(b"e=other-error").is_err());
    }
}
