import { describe, expect, it } from "vitest";
import { resultOf } from "../../test/conditions.ts";

const argv = (command: string) => resultOf("argv(input.command)", { input: { command } });

describe("argv", () => {
  it.each([
    ["git status", ["git", "status"]],
    ["  git   log  -n 5 ", ["git", "log", "-n", "5"]],
    ["git log --format='%h %s; rm -rf /'", ["git", "log", "--format=%h %s; rm -rf /"]],
    ['grep "a b" notes.txt', ["grep", "a b", "notes.txt"]],
    ["echo 'it'\\''s'", ["echo", "it's"]],
    ['echo "a \\"quoted\\" word" \'\' ""', ["echo", 'a "quoted" word', "", ""]],
    ["ls My\\ File", ["ls", "My File"]],
    ["git diff HEAD~1 -- a.txt", ["git", "diff", "HEAD~1", "--", "a.txt"]],
    ["make A=b", ["make", "A=b"]],
    ["cat 'grün.txt'", ["cat", "grün.txt"]],
    ["/bin/ls", ["/bin/ls"]],
    ["g'i't status", ["git", "status"]],
  ])("of %s is %j", (command, words) => expect(argv(command)).toEqual(words));

  it.each([
    ["a second command", "git status; rm -rf /"],
    ["and", "git status && rm -rf /"],
    ["or", "git status || rm -rf /"],
    ["a pipe", "cat a | sh"],
    ["the background", "git status & rm -rf /"],
    ["a line", "git status\nrm -rf /"],
    ["a carriage return", "git status\rrm -rf /"],
    ["a tab", "git\tstatus"],
    ["NUL", "git status\u0000; rm"],
    ["a substitution", "git log $(rm -rf /)"],
    ["a substitution in quotes", 'git log "$(rm -rf /)"'],
    ["backquotes", "git log `rm -rf /`"],
    ["backquotes in quotes", 'git log "`rm -rf /`"'],
    ["a variable", "cat $HOME/.ssh/id_rsa"],
    ["a variable in quotes", 'cat "$HOME"'],
    ["a variable for blanks", `cat${"$"}{IFS}/etc/passwd`],
    ["ANSI quoting", "cat $'\\x2fetc'"],
    ["a redirection out", "git log > /etc/passwd"],
    ["a redirection in", "sh < a"],
    ["a here document", "sh <<E"],
    ["a substituted process", "diff <(ls) a"],
    ["a subshell", "(rm -rf /)"],
    ["a group", "{ rm -rf /; }"],
    ["braces", "cat /{etc,home}/x"],
    ["a star", "rm *"],
    ["a question mark", "rm a?"],
    ["a set", "rm [a-z]"],
    ["a home", "cat ~/.ssh/id_rsa"],
    ["a home in an argument", "ls --dir=~/x"],
    ["a home after a colon", "ls a:~"],
    ["a comment", "git status # x"],
    ["history", "git !!"],
    ["history in double quotes", 'git "!!"'],
    ["history by a caret", "^git^rm"],
    ["an assignment", "PATH=/tmp git status"],
    ["an assignment with quotes", 'A="b" rm -rf /'],
    ["an assignment that adds", "PATH+=:/tmp git status"],
    ["an expanding word", "=rm x"],
    ["a word of the grammar", "time rm -rf /"],
    ["if", "if true"],
    ["a single quote", "echo 'a"],
    ["a double quote", 'echo "a'],
    ["a backslash at the end", "echo a\\"],
    ["a backslash before a line", "echo a\\\nb"],
    ["a backslash in double quotes", 'echo "\\a"'],
    ["a typographer's quote", "echo \u201ca\u201d"],
    ["a no-break space", "git\u00a0status"],
    ["an ideographic space", "git\u3000status"],
    ["a zero width space", "git\u200b status"],
    ["an override", "git '\u202estatus'"],
    ["half a character", "git '\ud800'"],
    ["a fullwidth semicolon", "git status\uff1b rm"],
    ["nothing", ""],
    ["blanks", "   "],
    ["an empty program", "'' a"],
    ["a long text", `git ${"a".repeat(9000)}`],
  ])("is unknown with %s", (_, command) => expect(argv(command)).toMatch(/^unknown: a command that /));

  it("makes the obvious rule the right one", () => {
    const rule = 'argv(input.command)[0] == "git" && argv(input.command)[1] in ["status", "log"]';
    expect(resultOf(rule, { input: { command: "git status" } })).toBe(true);
    expect(resultOf(rule, { input: { command: "git push" } })).toBe(false);
    expect(resultOf(rule, { input: { command: "git status; rm -rf /" } })).toMatch(/^unknown/);
  });
});
