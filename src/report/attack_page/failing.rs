//! Owns showing what a model fails on: of each claim its smallest program with the truth beside the reply first, then its
//! figures, and folded away what they rest on.
//!
//! Must not know how claims are found.

use super::super::page::table::{Cell, Column, HtmlTable};
use super::super::page::{Html, Section, bar};
use super::super::stats::Share;
use super::super::summary::text::{count, interval, percent, points};
use super::super::weakness::{Claim, Cure, Smallest, Status};
use super::Parts;
use super::quoted::quoted;

/// Items that are linked for each claim.
const EXAMPLES: usize = 5;

pub(super) fn section(parts: &Parts<'_>) -> Section {
    let claims = &parts.weaknesses.claims;
    let mut body = if claims.is_empty() { none(parts) } else { Html::default() };
    let mut number = 0;
    for status in Status::ALL {
        let numbered: Vec<(&Claim, u32)> = parts.weaknesses.of_status(status).zip(number + 1..).collect();
        number += numbered.len() as u32;
        if !numbered.is_empty() {
            let cards: Html = numbered.iter().map(|(claim, number)| card(claim, *number)).collect();
            let heading = Html::heading(status.says());
            body = body.and(heading).and(cards.within("div", "cards")).and(overview(&numbered));
        }
    }
    Section::new("weaknesses", "What it fails on", body.and(method(parts)))
}

fn none(parts: &Parts<'_>) -> Html {
    let misses = stats(parts).hits;
    Html::paragraph(if misses == 0 {
        "Nothing was missed."
    } else {
        "No fact of the computation goes with the misses more than chance lets expect: what was missed looks like noise, or \
         like something that no fact looked at here describes."
    })
}

/// Of all questions with an answer.
fn stats(parts: &Parts<'_>) -> Share {
    super::super::stats::miss_share(&parts.records.iter().collect::<Vec<_>>())
}

fn overview(claims: &[(&Claim, u32)]) -> Html {
    let mut table = HtmlTable::new([
        Column::number("#"),
        Column::text("fails on"),
        Column::number("miss rate").hint("among held-out questions that have it"),
        Column::text(""),
        Column::number("elsewhere").hint("among held-out questions that have neither it nor an earlier one"),
        Column::number("explains").hint("of all misses among the held-out questions"),
        Column::number("cured").hint("misses gone when the suspected instruction is changed"),
        Column::text(""),
        Column::number("control").hint("misses gone when another instruction is changed instead"),
    ]);
    for &(claim, number) in claims {
        let cured = |share: fn(&Cure) -> Share| claim.cure.as_ref().map_or(Share::default(), share);
        let (suspect, control) = (cured(|cure| cure.suspect), cured(|cure| cure.control));
        table.row([
            Cell::number(f64::from(number), &number.to_string()),
            Cell::text(&claim.what).class("wide"),
            Cell::maybe(claim.with.rate(), percent),
            bar_of(claim.with),
            Cell::maybe(claim.without.rate(), percent),
            Cell::maybe(claim.explains.rate(), percent),
            Cell::maybe(suspect.rate(), percent),
            bar_of(suspect),
            Cell::maybe(control.rate(), percent),
        ]);
    }
    table.html()
}

fn bar_of(share: Share) -> Cell {
    let Some(rate) = share.rate() else { return Cell::unknown() };
    Cell::html(bar::interval(rate, share.wilson(), &said(share))).sorted_by(rate)
}

/// `91.2 % (85.0–95.1 %, 120 of 132)`.
fn said(share: Share) -> String {
    let Some((rate, range)) = share.rate().zip(share.wilson()) else { return "unknown (none of 0)".into() };
    format!("{} ({}, {} of {})", percent(rate), interval(range), count(share.hits), count(share.of))
}

/// One claim: what is missed, the smallest program that shows it, and the evidence.
fn card(claim: &Claim, number: u32) -> Html {
    let rate = |share: Share| share.rate().map_or("unknown".into(), percent);
    let mut rates = format!("Missed {} of the time, {} elsewhere.", rate(claim.with), rate(claim.without));
    if let Some(Cure { suspect, control, .. }) = &claim.cure {
        rates += &format!(" Changing it cures {}, changing something else {}.", rate(*suspect), rate(*control));
    }
    let heading = Html::text(&format!("{number}. {}", claim.what)).within("h4", "");
    let smallest = claim.smallest.as_ref().map_or(Html::default(), smallest);
    let evidence = Html::folded("Evidence", evidence(claim));
    heading.and(Html::paragraph(&rates)).and(smallest).and(evidence).within("article", "card")
}

/// The program that stands for a claim, with its answers, and where it comes from.
fn smallest(Smallest { from, cut_down, record }: &Smallest) -> Html {
    let item = Html::item(&record.item.id, &record.item.id);
    let origin = if *cut_down {
        Html::text("Cut out of ").and(Html::item(from, from)).and(Html::text(" (")).and(item).and(Html::text(")"))
    } else {
        Html::text("The shortest miss, ").and(item)
    };
    quoted(record).and(origin.within("p", "note"))
}

/// What a claim rests on.
fn evidence(claim: &Claim) -> Html {
    let mut text = format!(
        "On lineages that had no part in finding it: missed {} with it, {} elsewhere.",
        said(claim.with),
        said(claim.without)
    );
    if let Some((difference, range)) = claim.difference {
        text += &format!(
            " Among programs of equal length, of one chooser and one part of the run, it makes a difference of {} ({:+.1} to \
             {:+.1}; p = {} after correction).",
            points(difference),
            100.0 * range.low,
            100.0 * range.high,
            p(claim.p)
        );
    }
    text += &format!(" It explains {}.", said_of(claim.explains, "misses"));
    let mut html = Html::paragraph(&text).and(match &claim.cure {
        Some(cure) => cured(cure),
        None => Html::note("Minimal pairs were not asked, or no single instruction could be swapped."),
    });
    if !claim.alike.is_empty() {
        let alike = claim.alike.iter().take(EXAMPLES).cloned().collect::<Vec<_>>().join("; ");
        html = html.and(Html::note(&format!("These questions cannot tell it from: {alike}.")));
    }
    let links = claim.misses.iter().take(EXAMPLES).map(|miss| Html::item(&miss.id, &miss.id).and(Html::text(" ")));
    html.and(Html::text("Missed: ").and(links.collect()).within("p", ""))
}

fn cured(cure: &Cure) -> Html {
    let mut sentence = cure.sentence();
    sentence[..1].make_ascii_uppercase();
    let changes = cure.changes.iter().take(EXAMPLES);
    let changes: Html = changes.map(|(change, n)| Html::code(change).and(Html::text(&format!(" ({n}) ")))).collect();
    let between = format!("Cured {}; control {}; p = {}. ", said(cure.suspect), said(cure.control), p(cure.p));
    Html::prose(&format!("Minimal pairs: {sentence}. {between}")).and(changes).within("p", "")
}

/// `88 % of the misses (120 of 136)`.
fn said_of(share: Share, of: &str) -> String {
    let rate = share.rate().map_or("unknown".into(), percent);
    format!("{rate} of the {of} ({} of {})", count(share.hits), count(share.of))
}

fn p(p: f64) -> String {
    if p < 0.001 { format!("{p:.0e}") } else { format!("{p:.3}") }
}

fn method(parts: &Parts<'_>) -> Html {
    let weak = parts.weaknesses;
    Html::note(&format!(
        "How this is found: {} facts of the computation that answers depend on were looked at. Relatives (children of one \
         program, by their recipes) stand together, and one of them speaks for all: {} questions are {} lineages. In {} of \
         them the fact that goes with misses most closely becomes a claim, then the next one among those without it. \
         Lineages are compared within strata of equal length, chooser and part of the run (Mantel-Haenszel). Claims are then \
         tested on the {} others by an exact test, corrected for their number (Holm); {}. A claim that holds there is \
         suspected; it is confirmed if changing the suspect cures most misses, and more than the same change of another \
         instruction (exact test, Holm). Facts and misses are about right and wrong answers alone.",
        count(weak.facts as u64),
        count(weak.questions),
        count(weak.found_in + weak.tested_on),
        count(weak.found_in),
        count(weak.tested_on),
        match weak.refuted {
            0 => "none was refuted there".into(),
            n => format!("left out, since they did not hold there: {n}"),
        }
    ))
}
