//! Who may ask for what: bearer tokens of users, who have roles.
//!
//! | role | may |
//! |---|---|
//! | `viewer` | look at jobs, their metrics, checkpoints and exceptions |
//! | `operator` | also cancel and stop jobs, and take savepoints |
//! | `admin` | also run jobs and SQL, and read plans and the rows that jobs collect |
//!
//! Whoever runs jobs can read and write what the cluster can; so operators cannot.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use flott_cluster::client_messages::ClientRequest;
use flott_cluster::inspection::ProcessQuestion;
use flott_cluster::programs::ProgramRequest;
use flott_types::{Error, Result};
use sha2::{Digest, Sha256};

use crate::request::Refusal;

const FILE: &str = "rest.authentication.token-file";
/// The shortest token: one that can be guessed protects nothing.
const SHORTEST: usize = 16;

/// What a user may do; each may do what those before may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Role {
    Viewer,
    Operator,
    Admin,
}

/// The users that a file names. Tokens are kept as their hashes only.
pub(crate) struct Users(Vec<User>);

pub(crate) struct User {
    pub name: String,
    pub role: Role,
    token: [u8; 32],
}

impl Users {
    /// From a configuration; `None` if it names no file.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is wrong. What is in it is not told.
    pub(crate) fn parse(configuration: &BTreeMap<String, String>) -> Result<Option<Arc<Self>>> {
        let path = configuration.get(FILE).map(|path| path.trim()).filter(|path| !path.is_empty());
        let Some(path) = path else { return Ok(None) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Error::invalid(format!("'{FILE}': {path} cannot be read")).with_source(error))?;
        let at = |error: Error| error.context(format_args!("'{FILE}': {path}"));
        Users::read(&text).map(|users| Some(Arc::new(users))).map_err(at)
    }

    /// One user a line: name, role, and a token or its hash.
    pub fn read(text: &str) -> Result<Self> {
        let mut users = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let wrong = |what: &str| Error::invalid(format!("line {number}: {what}"));
            let mut words = line.split_whitespace();
            let Some(name) = words.next().filter(|word| !word.starts_with('#')) else { continue };
            let (Some(role), Some(token), None) = (words.next(), words.next(), words.next()) else {
                return Err(wrong(
                    "expected the name of a user, a role, and a token or 'sha256:' and its hash",
                ));
            };
            let role = match role {
                "viewer" => Role::Viewer,
                "operator" => Role::Operator,
                "admin" => Role::Admin,
                _ => return Err(wrong("the role is none of viewer, operator and admin")),
            };
            let token = match token.strip_prefix("sha256:") {
                Some(hash) => {
                    hash_of_hex(hash).ok_or_else(|| wrong("the hash is not 64 hexadecimal digits"))?
                }
                None if token.len() < SHORTEST => {
                    return Err(wrong(&format!("the token is shorter than {SHORTEST} characters")));
                }
                None => Sha256::digest(token).into(),
            };
            users.push(User { name: name.to_owned(), role, token });
        }
        match users.is_empty() {
            true => Err(Error::invalid("it names no user")),
            false => Ok(Users(users)),
        }
    }

    /// Whose token a request has.
    pub fn user(&self, headers: &HeaderMap) -> Option<&User> {
        let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        // Hashes are compared: how soon two differ says nothing about the token.
        let hash: [u8; 32] = Sha256::digest(token.trim()).into();
        self.0.iter().find(|user| user.token == hash)
    }
}

fn hash_of_hex(hex: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// What a message of a client needs.
pub(crate) fn required_by(request: &ClientRequest) -> Role {
    match request {
        ClientRequest::Job { .. }
        | ClientRequest::Jobs
        | ClientRequest::TaskManagers
        | ClientRequest::Info { .. }
        | ClientRequest::Metrics { .. }
        | ClientRequest::Triggered { .. } => Role::Viewer,
        ClientRequest::Cancel { .. }
        | ClientRequest::Require { .. }
        | ClientRequest::DisposeSavepoint { .. }
        | ClientRequest::Trigger { .. } => Role::Operator,
        // What `print` writes is in the log.
        ClientRequest::Inspect { question, .. } => match question {
            ProcessQuestion::Log(..) => Role::Admin,
            ProcessQuestion::Usage | ProcessQuestion::Threads | ProcessQuestion::Logs => Role::Viewer,
        },
        ClientRequest::Program(ProgramRequest::List) => Role::Viewer,
        // A plan has the options of tables, with their passwords.
        ClientRequest::Submit { .. }
        // A program may do whatever the cluster may.
        | ClientRequest::Program(_)
        | ClientRequest::Plan { .. }
        | ClientRequest::Fetch { .. }
        | ClientRequest::AwaitRows { .. }
        | ClientRequest::Abandon { .. } => Role::Admin,
    }
}

/// Says that a role is not enough.
pub(crate) fn forbidden(role: Role) -> Refusal {
    Refusal::forbidden(format!("This needs the role '{}'.", format!("{role:?}").to_lowercase()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn told(text: &str) -> String {
        Users::read(text).err().unwrap().to_string()
    }

    #[test]
    fn users_are_read_and_found_by_their_tokens() {
        let hash: String =
            Sha256::digest("b-token-0123456789").iter().map(|byte| format!("{byte:02x}")).collect();
        let users =
            Users::read(&format!("# ours\n\na viewer a-token-0123456789\nb admin sha256:{hash}\n")).unwrap();
        let found = |header: &str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(header).unwrap())]);
            users.user(&headers).map(|user| (user.name.clone(), user.role))
        };
        assert_eq!(found("Bearer a-token-0123456789"), Some(("a".to_owned(), Role::Viewer)));
        assert_eq!(found("bearer b-token-0123456789"), Some(("b".to_owned(), Role::Admin)));
        for wrong in
            ["Bearer a-token", "Basic a-token-0123456789", "a-token-0123456789", &format!("Bearer {hash}")]
        {
            assert_eq!(found(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lines_that_are_wrong_are_told_by_their_numbers_alone() {
        assert_eq!(told("# nobody\n"), "it names no user");
        for (line, why) in [
            ("secret-secret-secret", "expected the name"),
            ("a root secret-secret-secret", "the role is none of"),
            ("a viewer secret", "shorter than 16"),
            ("a viewer sha256:secret", "not 64 hexadecimal digits"),
        ] {
            let told = told(&format!("\n{line}\n"));
            assert!(told.contains("line 2") && told.contains(why) && !told.contains("secret"), "{told}");
        }
    }
}
