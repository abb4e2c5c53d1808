/* Pages of text: glossary, about, accessibility statement. */
#include "page.h"

#include <string.h>

static void open_text(su_page *p, const char *title, const char *here, const char *lead)
{
    su_page_open(p, &(su_page_head) { .title = su_tr(p->l, title), .here = here, .about = su_tr(p->l, lead) });
    put(p, "<div class=\"hero\">\n<h1>");
    su_say_with(p->b, p->l, title, NULL);
    put(p, "</h1>\n<p class=\"lead\">");
    su_say_with(p->b, p->l, lead, NULL);
    put(p, "</p>\n</div>\n<div class=\"prose text\">\n");
}

static void close_text(su_page *p)
{
    put(p, "</div>\n");
    su_page_close(p);
}

/* ---- glossary ---- */

typedef struct entry {
    const char *id, *term, *text;
} entry;

/* Definitions of law follow the Protocol to Prevent, Suppress and Punish Trafficking in Persons (2000), ILO Conventions 29 and 182 and the
 * ILO's indicators; they are said here in plain words and are no legal advice. */
static const entry entries[] = {
    { "trafficking", T("Trafficking in persons"),
      T("Recruiting, moving, hiding or receiving a person by force, threat, deception, abuse of power or of a position of vulnerability, "
        "or by paying somebody who controls the person, in order to exploit them. For a child, the intention to exploit is enough: no "
        "such means is needed (Palermo Protocol, article 3). Nobody has to be moved across a border.") },
    { "exploitation", T("Exploitation"),
      T("What trafficking is for: at least sexual exploitation, forced labour or services, slavery and practices like it, servitude, and "
        "the removal of organs.") },
    { "forced-labour", T("Forced labour"),
      T("Work or service that a person does under the threat of a penalty and has not offered freely (ILO Convention 29). In these data "
        "sexual services are counted apart.") },
    { "sexual-exploitation", T("Sexual exploitation"),
      T("Making money or another gain from the prostitution of a person, or from other sexual acts that the person is made to do.") },
    { "means", T("Means of control"),
      T("How a person is kept in the situation: threats, violence, debts, withheld pay or documents, isolation, drugs, "
        "or false promises.") },
    { "recruiter", T("Recruiter"),
      T("The person who brought somebody into the situation. Often it is somebody known: a partner, a relative, a friend.") },
    { "debt-bondage", T("Debt bondage"), T("A person must work to pay off a debt, and the work is never enough, or has no agreed end.") },
    { "citizenship", T("Citizenship and country of exploitation"),
      T("Citizenship is the country whose national a person is. The country of exploitation is where the person was exploited, as far as "
        "it was recorded; when it was not, the place of the interview or of registration stands for it. Many people are exploited in "
        "their own country.") },
    { "case-record", T("Case record"),
      T("What an organisation wrote down about one person it assisted, interviewed or heard of. Case records stay with the "
        "organisations, encrypted. They are never on this site.") },
    { "recorded", T("Recorded cases"),
      T("People who were found and helped. They are not a sample of all who were trafficked: who is found depends on where organisations "
        "work and whom they look for. Many are never recorded.") },
    { "release", T("Release"),
      T("The files that are published together at one time: protected counts, synthetic records, the codebook and "
        "the protection report.") },
    { "published-count", T("Published count"),
      T("How many people have certain attributes, after noise was added on purpose. Each comes with its interval.") },
    { "interval", T("95% interval"),
      T("A range around a number. In 95 of 100 such cells it holds the number in the case records, before it was decided which cells to "
        "print. It covers the noise of the protection, not the mistakes in the records and not the people whom nobody recorded.") },
    { "suppressed", T("Not published"),
      T("A count that was left out on purpose, because too few people could stand behind it, or because it cannot be told from the "
        "noise. It is not zero: nobody outside knows what it is.") },
    { "synthetic-records", T("Synthetic records"),
      T("Rows that look like case records and belong to nobody. They were made from the published counts, so that their sums are close "
        "to the real ones. A row that resembles somebody you know says nothing about that person.") },
    { "differential-privacy", T("Differential privacy"),
      T("A promise in mathematics: the release would look nearly the same if any one person's record had been left out. So nobody can "
        "learn much about one person from it, whatever else they know.") },
    { "epsilon", T("Epsilon and delta"),
      T("The numbers of that promise. Epsilon says how much a suspicion about one person can grow: smaller protects more. Delta is the "
        "small chance with which the promise may not hold.") },
    { "ledger", T("Privacy ledger"),
      T("The account of all releases about the same people. Each release uses up a part of a budget that was set beforehand; the losses "
        "add up.") },
    { "k-anonymity", T("Threshold K"), T("With a threshold, counts of fewer than K people are not printed at all.") },
    { "denominator", T("Percent of what"),
      T("For questions with several answers the percentage is of the people with at least one yes in the group. People without any "
        "answer are left out, and the sum may pass 100.") },
};

void su_page_glossary(su_page *p)
{
    open_text(p, T("Glossary"), "/glossary", T("The words of this site in plain language."));
    put(p, "<dl class=\"glossary\">\n");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        su_buf_printf(p->b, "<div id=\"%s\"><dt>", entries[i].id);
        su_say_with(p->b, p->l, entries[i].term, NULL);
        put(p, "</dt>\n<dd>");
        su_say_with(p->b, p->l, entries[i].text, NULL);
        put(p, "</dd></div>\n");
    }
    put(p, "</dl>\n");
    close_text(p);
}

/* ---- about ---- */

void su_page_about(su_page *p)
{
    open_text(p, T("About"), "/about",
              T("Suha is free software that turns the case records of organisations which help trafficked people into open data, without "
                "exposing one survivor."));
    tag(p, "h2", "The name");
    tag(p, "p",
        "Suha is the faint star beside Mizar in the handle of the Big Dipper. People used it to test good eyes. Trafficked people are "
        "overlooked in the same way: they are there for whoever looks closely.");
    tag(p, "h2", "Where the numbers come from");
    tag(p, "p",
        "Organisations keep case records in an encrypted vault. A release counts them once, adds noise, and is written as files. This "
        "site reads these files and nothing else: it has no way to a case record.");
    tag(p, "p",
        "What you see was computed from the published counts where there are any, and otherwise from the synthetic records. Each number "
        "says which.");
    tag(p, "h2", "How to use the numbers well");
    put(p, "<ul>\n");
    tag(p, "li", "Quote a number with its interval, and say that it counts recorded cases.");
    tag(p, "li", "Do not compare countries as if more records meant more trafficking: they often mean more help.");
    tag(p, "li", "Do not read a missing number as zero.");
    tag(p, "li", "Never try to find a person in the records. They belong to nobody, and looking for somebody can harm.");
    put(p, "</ul>\n");
    tag(p, "h2", "If you or somebody you know needs help");
    tag(p, "p",
        "This site cannot help in an emergency and does not know who you are. Call the emergency number of the country you are in, or "
        "ask a national hotline against human trafficking, a police station, an embassy or a social service.");
    tag(p, "h2", "Your privacy here");
    tag(p, "p",
        "No cookies, no counting of visitors, nothing loaded from other companies. By default the server writes no log of addresses.");
    tag(p, "h2", "Who is responsible");
    tag(p, "p",
        "The publisher named with each release is responsible for its data. Suha is free software under the Apache-2.0 licence. No "
        "endorsement by any organisation is implied.");
    close_text(p);
}

/* ---- accessibility ---- */

void su_page_accessibility(su_page *p)
{
    open_text(p, T("Accessibility"), "/accessibility",
              T("Everybody should be able to read these data: with a keyboard, a screen reader, an old phone or a slow line."));
    tag(p, "h2", "What we do");
    put(p, "<ul>\n");
    tag(p, "li",
        "The goal is WCAG 2.2, level AA. Every page is checked by a program (axe-core) before a change is accepted; a program finds only "
        "part of the barriers.");
    tag(p, "li", "Every page works without script. Scripts only make Explore and the charts quicker.");
    tag(p, "li", "Every chart has the same numbers as a table, and its main point as a sentence. No meaning is in colour alone.");
    tag(p, "li", "Everything can be reached with the keyboard, in the order of the page; the focus can be seen.");
    tag(p, "li", "Pages adapt to small screens, large type, dark mode, printing, and the wish for less motion.");
    tag(p, "li", "English, French, Spanish and Arabic; Arabic runs from right to left.");
    put(p, "</ul>\n");
    tag(p, "h2", "What is not good enough yet");
    put(p, "<ul>\n");
    tag(p, "li", "Descriptions of columns, the codebook's file and the protection report's file are in English only.");
    tag(p, "li", "No test with people who use a screen reader every day has been made yet.");
    tag(p, "li", "Tables of countries are long. The search of the browser helps to find one.");
    put(p, "</ul>\n");
    tag(p, "h2", "Tell us");
    tag(p, "p",
        "If something keeps you from reading a page, write to the publisher named with the release, or report it where the source code "
        "of Suha is kept.");
    close_text(p);
}
