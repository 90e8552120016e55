//! Splits a filter into words and symbols. ss requires spaces between them; here `dport=:443` and `!(a or b)` are read
//! too.

use std::ops::Range;

use winnow::combinator::{alt, delimited, fail, not, peek, preceded, repeat};
use winnow::error::ContextError;
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, literal, none_of, one_of, take_while};

use super::error::Wrong;

/// Smallest part of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits and other characters of addresses, paths and names
    Word(String),
    /// A word in quotes: never a keyword
    Quoted(String),
    /// Regular expression: `/…/` after `~`
    Regex(String),
    /// A symbol
    Symbol(Symbol),
}

/// Operators, parentheses and other punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    Equal,
    NotEqual,
    Below,
    AtMost,
    AtLeast,
    Above,
    Like,
    Unlike,
    And,
    Or,
    Not,
    Open,
    Close,
    OpenList,
    CloseList,
    Comma,
    Arrow,
}

/// Longer symbols first, so that `>=` is not read as `>` and `=`.
const SIGNS: [(&str, Symbol); 22] = [
    ("->", Symbol::Arrow),
    ("==", Symbol::Equal),
    ("!=", Symbol::NotEqual),
    ("!~", Symbol::Unlike),
    ("<=", Symbol::AtMost),
    (">=", Symbol::AtLeast),
    ("=~", Symbol::Like),
    ("&&", Symbol::And),
    ("||", Symbol::Or),
    ("=", Symbol::Equal),
    ("<", Symbol::Below),
    (">", Symbol::Above),
    ("~", Symbol::Like),
    ("!", Symbol::Not),
    ("&", Symbol::And),
    ("|", Symbol::Or),
    ("(", Symbol::Open),
    (")", Symbol::Close),
    ("{", Symbol::OpenList),
    ("}", Symbol::CloseList),
    (",", Symbol::Comma),
    ("\u{2192}", Symbol::Arrow),
];

/// Characters that end a word.
const ENDS_WORD: &str = "(){},=<>~|&!\u{2192}";

type Input<'a> = LocatingSlice<&'a str>;
type LexResult<T> = Result<T, ContextError>;

/// Each token with its byte range in the text.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Wrong> {
    let mut input = LocatingSlice::new(text);
    let mut found: Vec<(Token, Range<usize>)> = Vec::new();
    loop {
        let _ = spaces(&mut input);
        if input.is_empty() {
            return Ok(found);
        }
        let after_like = matches!(found.last(), Some((Token::Symbol(Symbol::Like | Symbol::Unlike), _)));
        let read = if after_like {
            alt((regex, token)).with_span().parse_next(&mut input)
        } else {
            token.with_span().parse_next(&mut input)
        };
        found.push(read.map_err(|_| {
            // Only a quote without an end is no token.
            let place = text.len() - input.len();
            (place..place + 1, "this quote has no end; a quote in a word is written \\\" or \\'".to_owned())
        })?);
    }
}

fn spaces<'a>(input: &mut Input<'a>) -> LexResult<&'a str> {
    take_while(0.., char::is_whitespace).parse_next(input)
}

fn token(input: &mut Input<'_>) -> LexResult<Token> {
    alt((
        sign.map(Token::Symbol),
        // A symbol that is escaped for the shell or for ss.
        preceded('\\', sign).map(Token::Symbol),
        quoted.map(Token::Quoted),
        word.map(Token::Word),
    ))
    .parse_next(input)
}

fn sign(input: &mut Input<'_>) -> LexResult<Symbol> {
    match SIGNS.iter().find(|(text, _)| input.starts_with(text)) {
        Some((text, sign)) => literal(*text).value(*sign).parse_next(input),
        None => fail.parse_next(input),
    }
}

/// A word in double or single quotes; a backslash escapes the next character.
fn quoted(input: &mut Input<'_>) -> LexResult<String> {
    let quote = one_of(['"', '\'']).parse_next(input)?;
    let inner = alt((escaped, none_of(['\\', quote])));
    delimited(
        (),
        repeat(0.., inner).fold(String::new, |mut text, character: char| {
            text.push(character);
            text
        }),
        quote,
    )
    .parse_next(input)
}

fn word(input: &mut Input<'_>) -> LexResult<String> {
    let first = alt((escaped, letter, lone_backslash));
    let first = preceded(not(one_of(['"', '\''])), first).parse_next(input)?;
    repeat(0.., alt((escaped, letter, lone_backslash)))
        .fold(
            move || String::from(first),
            |mut text, character: char| {
                text.push(character);
                text
            },
        )
        .parse_next(input)
}

/// Any character that does not end a word. A dash ends it if it begins an arrow.
fn letter(input: &mut Input<'_>) -> LexResult<char> {
    let of_word = |c: char| c != '\\' && !c.is_whitespace() && !ENDS_WORD.contains(c);
    preceded(not("->"), any.verify(move |&c: &char| of_word(c))).parse_next(input)
}

fn escaped(input: &mut Input<'_>) -> LexResult<char> {
    preceded('\\', any).parse_next(input)
}

/// A backslash at the end of the text, which escapes nothing.
fn lone_backslash(input: &mut Input<'_>) -> LexResult<char> {
    '\\'.parse_next(input)
}

/// Regular expression `/…/`. It contains no spaces, so that two paths are not read as one expression.
fn regex(input: &mut Input<'_>) -> LexResult<Token> {
    let ends = |input: &Input<'_>| input.chars().next().is_none_or(|c| c.is_whitespace() || ENDS_WORD.contains(c));
    '/'.parse_next(input)?;
    let mut text = String::new();
    loop {
        let character = any.verify(|c: &char| !c.is_whitespace()).parse_next(input)?;
        match character {
            '/' if ends(input) && !text.is_empty() => return Ok(Token::Regex(text)),
            '\\' => match any.verify(|c: &char| !c.is_whitespace()).parse_next(input)? {
                '/' => text.push('/'),
                other => text.extend(['\\', other]),
            },
            other => text.push(other),
        }
        peek(any).void().parse_next(input)?;
    }
}

#[cfg(test)]
mod tests {
    use super::{Symbol, Token, tokens};

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|(token, _)| token).collect()
    }

    fn word(text: &str) -> Token {
        Token::Word(text.to_owned())
    }

    #[test]
    fn signs_need_no_spaces_around_them() {
        let apart = kinds("( dport = :443 ) && ! state established");
        assert_eq!(kinds("(dport=:443)&&!state established"), apart);
        assert_eq!(kinds(r"\( dport = :443 \) && \! state established"), apart);
        assert_eq!(
            apart[..4],
            [Token::Symbol(Symbol::Open), word("dport"), Token::Symbol(Symbol::Equal), word(":443")]
        );
    }

    #[test]
    fn addresses_paths_and_arrows_stay_whole() {
        for whole in
            ["[fe80::1%eth0]:22", "10.0.0.0/8", "*:80", "fin-wait-1", "/a.slice/b@1.service", "0x1/0xff", "日本"]
        {
            assert_eq!(kinds(whole), [word(whole)]);
        }
        let pair = [word("10.0.0.5:48350"), Token::Symbol(Symbol::Arrow), word("10.0.0.9:5432")];
        assert_eq!(kinds("10.0.0.5:48350->10.0.0.9:5432"), pair);
        assert_eq!(kinds("10.0.0.5:48350 -> 10.0.0.9:5432"), pair);
    }

    #[test]
    fn quotes_and_backslashes_take_the_meaning_away() {
        assert_eq!(
            kinds(r#""a b" 'c=d' e\ f "g\"h" \"#),
            [
                Token::Quoted("a b".to_owned()),
                Token::Quoted("c=d".to_owned()),
                word("e f"),
                Token::Quoted("g\"h".to_owned()),
                word("\\"),
            ]
        );
        assert_eq!(tokens("process = \"nginx").unwrap_err().0, 10..11);
    }

    #[test]
    fn a_regex_stands_after_a_tilde_only() {
        assert_eq!(kinds("~ /a(b|c)/")[1], Token::Regex("a(b|c)".to_owned()));
        assert_eq!(kinds(r"~ /a\/b\d/ x")[1], Token::Regex(r"a/b\d".to_owned()));
        assert_eq!(kinds("= /a/")[1], word("/a/"));
        assert_eq!(kinds("~ /a or ~ /b/")[1], word("/a"));
    }
}
