//! README and `.ci/run` say the same as this program does.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::{commands, repo::Repo};

/// README's command for the first minutes.
pub(crate) const RUN: &str = "cargo xtask demo";

/// README's command for everything CI runs, and the only one of `.ci/run`.
pub(crate) const TEST: &str = "cargo xtask ci";

/// Checks the commands of README.md, DEVELOPERS.md and `.ci/run`; gives how many it saw.
pub(crate) fn check(repo: &Repo) -> Result<u64> {
    let read = |name: &str| {
        fs::read_to_string(repo.root.join(name)).with_context(|| format!("cannot read {name}"))
    };
    let readme = read("README.md")?;
    let mut seen = known("README.md", &readme)?;
    for command in [RUN, TEST] {
        if !shell_lines(&readme).any(|line| line == command) {
            bail!("README.md has no line `{command}` in a code block");
        }
    }
    seen += known("DEVELOPERS.md", &read("DEVELOPERS.md")?)?;
    let ci = read(".ci/run")?;
    let last = ci.lines().rev().find(|line| !line.trim().is_empty());
    if last != Some(&format!("exec {TEST}")) {
        bail!(".ci/run does not end with `exec {TEST}`, README's test command");
    }
    Ok(seen + 1)
}

/// Counts the `cargo xtask` lines of a page; an error at a command that does not exist.
fn known(page: &str, text: &str) -> Result<u64> {
    let mut seen = 0;
    for line in shell_lines(text) {
        let Some(rest) = line.strip_prefix("cargo xtask ") else {
            continue;
        };
        let name = rest.split_whitespace().next().unwrap_or_default();
        if !commands().any(|command| command == name) {
            bail!("{page}: `{line}`: there is no command `{name}`");
        }
        seen += 1;
    }
    Ok(seen)
}

/// Lines of the shell blocks of a Markdown page, without prompts and comments.
fn shell_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut shell = false;
    let mut inside = false;
    text.lines().filter_map(move |line| {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            inside = !inside;
            shell = inside && ["sh", "console", "bash"].contains(&language.trim());
            return None;
        }
        let line = line.trim();
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let line = line.split(" #").next().unwrap_or(line).trim();
        (shell && !line.is_empty()).then_some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shell_blocks_are_read() {
        let page = "cargo xtask a\n```sh\n$ cargo xtask ci  # all\n```\n```rust\nlet a;\n```\n\
                    ```console\ncargo xtask demo\n```\n";
        let lines: Vec<&str> = shell_lines(page).collect();
        assert_eq!(lines, ["cargo xtask ci", "cargo xtask demo"]);
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        assert_eq!(known("p", "```sh\ncargo xtask ci\n```").unwrap(), 1);
        assert!(known("p", "```sh\ncargo xtask cii\n```").is_err());
    }
}
