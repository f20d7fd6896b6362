"""Currencies: ISO 4217's with their digits, the countries they are tender of, and the signs people write.

Written down rather than imported: the packages that know them cost a tenth of a second at every start. A test
compares these tables with py-moneyed's and Babel's.
"""

TENDER = """
AED:AE AFN:AF ALL:AL AMD:AM AOA:AO ARS:AR AUD:AU,CC,CX,HM,KI,NF,NR,TV AWG:AW AZN:AZ BAM:BA BBD:BB BDT:BD
BHD:BH BIF:BI BMD:BM BND:BN BOB:BO BRL:BR BSD:BS BWP:BW BYN:BY BZD:BZ CAD:CA CDF:CD CHF:CH,LI CLP:CL
CNY:CN COP:CO CRC:CR CUP:CU CVE:CV CZK:CZ DJF:DJ DKK:DK,FO,GL DOP:DO DZD:DZ EGP:EG ERN:ER ETB:ET
EUR:AD,AT,AX,BE,BG,BL,CY,DE,EE,ES,FI,FR,GF,GP,GR,HR,IE,IT,LT,LU
EUR:LV,MC,ME,MF,MQ,MT,NL,PM,PT,RE,SI,SK,SM,TF,VA,XK,YT
FJD:FJ FKP:FK GBP:GB,GG,GS,IM,JE GEL:GE GHS:GH GIP:GI GMD:GM GNF:GN GTQ:GT GYD:GY HKD:HK HNL:HN HTG+USD:HT
HUF:HU IDR:ID ILS:IL ILS+JOD:PS INR:IN INR+BTN:BT IQD:IQ IRR:IR ISK:IS JMD:JM JOD:JO JPY:JP KES:KE KGS:KG
KHR:KH KMF:KM KPW:KP KRW:KR KWD:KW KYD:KY KZT:KZ LAK:LA LBP:LB LKR:LK LRD:LR LYD:LY MAD:EH,MA MDL:MD
MGA:MG MKD:MK MMK:MM MNT:MN MOP:MO MRU:MR MUR:MU MVR:MV MWK:MW MXN:MX MYR:MY MZN:MZ NGN:NG NIO:NI
NOK:BV,NO,SJ NPR:NP NZD:CK,NU,NZ,PN,TK OMR:OM PAB+USD:PA PEN:PE PGK:PG PHP:PH PKR:PK PLN:PL PYG:PY QAR:QA
RON:RO RSD:RS RUB:RU RWF:RW SAR:SA SBD:SB SCR:SC SDG:SD SEK:SE SGD:SG SHP:SH SLE:SL SOS:SO SRD:SR SSP:SS
STN:ST SYP:SY SZL:SZ THB:TH TJS:TJ TMT:TM TND:TN TOP:TO TRY:TR TTD:TT TWD:TW TZS:TZ UAH:UA UGX:UG
USD:AS,BQ,EC,FM,GU,IO,MH,MP,PR,PW,SV,TC,TL,UM,US,VG,VI USD+ZWG:ZW UYU:UY UZS:UZ VES:VE VND:VN VUV:VU
WST:WS XAF:CF,CG,CM,GA,GQ,TD XCD:AG,AI,DM,GD,KN,LC,MS,VC XCG:CW,SX XOF:BF,BJ,CI,GW,ML,NE,SN,TG
XPF:NC,PF,WF YER:YE ZAR:ZA ZAR+LSL:LS ZAR+NAD:NA ZMW:ZM
"""
"""Currencies with the countries (ISO 3166) where one pays with them; where there are two, with both."""

COUNTRIES: dict[str, tuple[str, ...]] = {}
for _line in TENDER.split():
    _codes, _, _places = _line.partition(":")
    for _place in _places.split(","):
        COUNTRIES[_place] = tuple(_codes.split("+"))

CURRENCIES = frozenset(code for codes in COUNTRIES.values() for code in codes)

NONE = "XXX"
"""ISO 4217 for no currency: what a price is in as long as nobody knows."""

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF XXX"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS = "CLF UYW"
DIGITS = {
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}
"""Digits behind the point by ISO 4217, where they are not two."""

OWN_SIGNS = {
    "€": "EUR",
    **{"us$": "USD", "a$": "AUD", "au$": "AUD", "ca$": "CAD", "can$": "CAD", "hk$": "HKD", "mx$": "MXN"},
    **{"nt$": "TWD", "nz$": "NZD", "s$": "SGD", "r$": "BRL", "rmb": "CNY", "cn¥": "CNY", "jp¥": "JPY"},
    **{"円": "JPY", "sfr": "CHF", "zł": "PLN", "zl": "PLN", "kč": "CZK", "ft": "HUF", "₹": "INR"},
    **{"₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₫": "VND", "₪": "ILS", "฿": "THB", "₦": "NGN"},
    **{"₸": "KZT", "₾": "GEL", "₼": "AZN", "₡": "CRC", "₲": "PYG", "₵": "GHS", "֏": "AMD", "៛": "KHR"},
    **{"₭": "LAK", "৳": "BDT", "₮": "MNT", "₱": "PHP", "rm": "MYR", "rp": "IDR", "s/": "PEN"},
    **{"د.إ": "AED", "د.ك": "KWD", "ر.س": "SAR", "ر.ق": "QAR", "د.ب": "BHD", "ر.ع": "OMR"},
}
"""Signs, in small letters, that are one currency's wherever they are written."""

_DOLLARS = (
    "USD CAD AUD NZD HKD SGD TWD MXN ARS CLP COP UYU BBD BMD BND BSD BZD DOP FJD GYD JMD KYD LRD NAD SBD SRD "
    "TTD XCD XCG CUP"
)
SHARED_SIGNS = {
    "$": _DOLLARS,
    **dict.fromkeys(("¥", "元"), "JPY CNY TWD HKD MOP"),
    "£": "GBP EGP FKP GIP LBP SDG SHP SSP SYP",
    "kr": "SEK NOK DKK ISK",
    **dict.fromkeys(("rs", "₨"), "INR PKR LKR NPR MUR SCR"),
    **dict.fromkeys(("fr", "f"), "CHF XAF XOF XPF BIF CDF DJF GNF KMF RWF"),
    "r": "ZAR",
    "lei": "RON MDL",
    "﷼": "IRR YER QAR OMR SAR",
    **dict.fromkeys(("\u0440\u0443\u0431", "\u0440"), "RUB BYN"),
    "din": "RSD",
    "ksh": "KES",
    "q": "GTQ",
    "l": "HNL",
}
"""Signs of several currencies, or too short to be sure: they mean the shop's country's own, or nothing."""
DEFAULTS = {"£": "GBP"}
"""Currency of a shared sign in a country without one of its own."""
SHARED = {sign: frozenset(codes.split()) for sign, codes in SHARED_SIGNS.items()}
