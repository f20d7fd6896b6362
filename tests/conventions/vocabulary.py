"""Words that the rules of descriptions know."""

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MUTATION_VERBS = _words(
    """Add Begin Cancel Complete Confirm Create Decide Delete Finish Mark Record Remove Request Revoke Set
    Submit Update"""
)
"""Verbs for mutations; the one in the mutation's own name serves too."""

QUESTION_WORDS = _words("How What Whatever When Where Which Who Whoever Whom Whose Why")
PRONOUNS = _words(
    """Another Anybody Anything Else Everybody Everything He Her His It Its Nobody Nothing Others She Somebody
    Something Such That Their Theirs Them These They This Those Yours"""
)
PARTICLES = _words(
    """About After Again Along Also Always As At Because Before Between But By During Even For From If In Into
    Just Later Never Not Of On Only Or Over Since So Than Then Through To Under Unless Until Up With Within
    Without"""
)
PREDICATES = _words(
    """Answer Answers Are Begin Can Cannot Do Empty False Forget Give Given Gives Had Has Have Is Keep Leave
    Left Made Make Makes May Must Narrows Null Read Resume Return Rises Say Says Send Sent Set Should Show
    Shown Shows Take Taken Tell Tells Use Used Was Were Will Would Yes"""
)
NO_NOUNS = QUESTION_WORDS | PRONOUNS | PARTICLES | PREDICATES
"""Words with which no noun phrase begins."""

AUXILIARIES = _words(
    "a an and be been being could did do does far long many might much often the true whether you"
)
FUNCTION_WORDS = AUXILIARIES | {each.lower() for each in NO_NOUNS}
"""Words that name nothing, in lower case."""
POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|whose|whom)\b", re.IGNORECASE
)
"""Pronouns that need a noun before them."""

STEMS = "|".join(
    _words(
        """anonym author categor custom digit final initial item local maxim minim normal optim organ personal
        prior real recogn serial summar synchron token util visual"""
    )
)
"""Stems of verbs in `ize`."""
BRITISH = {
    r"(\w*)(behavi|col|fav|hon|lab|neighb|rum)our(\w*)": r"\1\2or\3",
    rf"(\w*?)({STEMS})is(e|ed|es|ing|er|ers|ation|ations)": r"\1\2iz\3",
    r"(\w*)centre(s?)": r"\1center\2",
    r"(kilo|milli|centi|)metre(s?)": r"\1meter\2",
    r"(milli|)litre(s?)": r"\1liter\2",
    r"analys(e|ed|es|ing)": r"analyz\1",
    r"(enrol|fulfil)(s|ment|ments)": r"\1l\2",
    r"(lic|def|off)ence(s?)": r"\1ense\2",
    r"practis(e|ed|es|ing)": r"practic\1",
    r"(catal|dial)ogue(s?)": r"\1og\2",
    r"programme(s?)": r"program\1",
    r"grey(s?)": r"gray\1",
    r"judgement(s?)": r"judgment\1",
    r"(label|level|model|signal|total|travel)l(ed|ing|er|ers)": r"\1\2",
    r"(learn|burn|dream)t": r"\1ed",
    r"(to|after|back|for|up)wards": r"\1ward",
    r"amongst": "among",
    r"whilst": "while",
    r"artefact(s?)": r"artifact\1",
    r"cheque(s?)": r"check\1",
    r"sceptic(\w*)": r"skeptic\1",
    r"(aero)plane(s?)": r"airplane\2",
    r"tyre(s?)": r"tire\1",
}
"""British spellings, each with the American one."""
SPELLINGS = [
    (re.compile(rf"\b{british}\b", re.IGNORECASE), american) for british, american in BRITISH.items()
]

ABBREVIATIONS = dict(
    each.split(":")
    for each in _words(
        """acct:account addr:address amt:amount approx:approximate avg:average cat:category
        cfg:config cnt:count curr:current dest:destination diff:difference enrol:enroll
        est:estimated freq:frequency img:image idx:index lang:language len:length mime:mimeType msg:message
        num:number org:organization orig:original pct:percent pic:picture pos:position pref:preference
        prev:previous qty:quantity ref:reference req:request res:response src:source temp:temporary
        thumb:thumbnail tmp:temporary txt:text usr:user val:value ver:version vol:volume"""
    )
)
"""Cut words, with the whole ones."""
COMMON_NOUNS = _words(
    """Address Alert Answer Bundle Case Config Data Detail Details Document Entry Error Field File Filter Form
    Header History Image Info Item Key Line Link List Log Member Note Option Page Part
    Period Plan Query Question Record Request Response Result Rule Schedule Score Section Setting Settings
    Signal Slot State Stats Status Step Subject Summary Tag Target Task Template Token Type Unit Value
    Version"""
)
"""Nouns of which many systems have one."""
DOMAIN_VERBS = _words(
    """acknowledge adjust appeal apply archive block claim clear collect disable dismiss enable end erase
    follow grant hide import join leave lock merge move mute place receive refresh refund regenerate release
    reorder resend resolve retry save send share sign step suspend sync unblock unfollow unlock unmute
    unsuspend validate verify withdraw"""
)
"""Verbs that are a standard term of their domain, beside those of the conventions."""
DOMAIN_UPDATES = _words("adjust")
"""Those among them that change fields of a row, as `update` does."""
