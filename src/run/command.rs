//! Owns the command line as a manifest keeps it: enough to repeat the run, and no secret in it.
//!
//! Must not know the flags themselves; what a secret looks like is judged by names and shapes, since a user may put one
//! anywhere.

/// What stands where a secret stood.
pub(crate) const REDACTED: &str = "REDACTED";

/// The arguments without one flag and its value.
pub(crate) fn without<'a>(args: impl Iterator<Item = String> + 'a, flag: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut named = false;
    args.filter(move |arg| {
        let is_value = std::mem::replace(&mut named, arg == flag);
        let is_flag = arg.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        !is_value && !is_flag
    })
}

/// The arguments with every secret taken out: values of flags such as `--api-key`, keys that look like keys wherever
/// they stand, and passwords and key parameters within URLs.
pub(crate) fn without_secrets<I: IntoIterator<Item = String>>(args: I) -> Vec<String> {
    let mut kept = Vec::new();
    let mut secret_follows = false;
    for arg in args {
        kept.push(if std::mem::take(&mut secret_follows) {
            REDACTED.to_owned()
        } else if let Some((flag, value)) = arg.split_once('=').filter(|(flag, _)| flag.starts_with('-')) {
            format!("{flag}={}", if names_secret(flag) { REDACTED.to_owned() } else { value_without_secrets(value) })
        } else {
            secret_follows = arg.starts_with('-') && names_secret(&arg);
            value_without_secrets(&arg)
        });
    }
    kept
}

/// A word of a command line as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:@,+%".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Whether a flag, header or URL parameter of this name holds a secret. `--max-tokens` does not: only the singular
/// `token` is a credential.
fn names_secret(name: &str) -> bool {
    const WORDS: [&str; 8] = ["key", "apikey", "token", "secret", "password", "passwd", "authorization", "credential"];
    // The last word decides: `--api-key` holds a key, `--key-file` the name of a file.
    let last = name.rsplit(['-', '_']).next().unwrap_or(name);
    WORDS.iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// One value with the secrets within it taken out.
pub(crate) fn value_without_secrets(value: &str) -> String {
    let header = value.split_once(':').is_some_and(|(name, _)| names_secret(name.trim()));
    if header || looks_like_key(value) {
        REDACTED.to_owned()
    } else if let Some((scheme, rest)) = value.split_once("://") {
        format!("{scheme}://{}", url_without_secrets(rest))
    } else {
        value.to_owned()
    }
}

/// Prefixes that providers give to their keys.
fn looks_like_key(value: &str) -> bool {
    const PREFIXES: [&str; 6] = ["sk-", "sk_", "Bearer ", "hf_", "gsk_", "AIza"];
    value.len() >= 12 && PREFIXES.iter().any(|prefix| value.starts_with(prefix))
}

/// A URL after its scheme: the user part and the values of key parameters go.
fn url_without_secrets(rest: &str) -> String {
    let (before_query, query) = rest.split_once('?').map_or((rest, None), |(head, query)| (head, Some(query)));
    let host_end = before_query.find('/').unwrap_or(before_query.len());
    let mut out = match before_query[..host_end].rfind('@') {
        Some(at) => format!("{REDACTED}{}", &before_query[at..]),
        None => before_query.to_owned(),
    };
    if let Some(query) = query {
        let pairs: Vec<String> = query.split('&').map(parameter_without_secret).collect();
        out.push('?');
        out.push_str(&pairs.join("&"));
    }
    out
}

fn parameter_without_secret(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if names_secret(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(line: &str) -> String {
        without_secrets(line.split('|').map(String::from)).join("|")
    }

    #[test]
    fn a_flag_is_left_out_in_either_form() {
        let without =
            |args: &str| super::without(args.split(' ').map(String::from), "--shard").collect::<Vec<_>>().join(" ");
        assert_eq!(without("--json --shard 1/4 --max-connections 4"), "--json --max-connections 4");
        assert_eq!(without("--shard=1/4 --json"), "--json");
        assert_eq!(without("--sharded --json"), "--sharded --json");
    }

    #[test]
    fn secrets_go() {
        for (given, expected) in [
            ("--api-key|abc|--seed|7", "--api-key|REDACTED|--seed|7"),
            ("--api-key=abc|--seed=7", "--api-key=REDACTED|--seed=7"),
            ("--openai_token|t", "--openai_token|REDACTED"),
            ("--model|sk-proj-0123456789", "--model|REDACTED"),
            ("--header|Authorization: Bearer abc", "--header|REDACTED"),
            ("--header=x-api-key: abc", "--header=REDACTED"),
            ("--base-url|https://me:pw@host:8080/v1", "--base-url|https://REDACTED@host:8080/v1"),
            ("--base-url=https://host/v1?a=1&api_key=abc", "--base-url=https://host/v1?a=1&api_key=REDACTED"),
        ] {
            assert_eq!(kept(given), expected);
        }
    }

    #[test]
    fn everything_else_stays() {
        for line in [
            "harness|attack|--max-tokens|500|--model|openai/o3-mini",
            "--key-file|keys.txt",
            "--base-url|http://127.0.0.1:8080/v1?a=1",
            "--model|org/name:free",
            "--note|2 + 2 = 4",
        ] {
            assert_eq!(kept(line), line);
        }
    }
}
