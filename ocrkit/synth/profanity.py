"""Profanity (coarse, sexual and hateful words), which no picture of invented words may show."""

from __future__ import annotations

import re
import unicodedata

# Without accents. A few decent words are lost with them, which costs a corpus nothing.
_ANYWHERE = """
fuck shit bitch nigger nigga cocksuck goddam asshole arsehole badass dumbass jackass asses?hat cumshot blowjob handjob
gangbang prostitut neonazi pa?edophil ejaculat genital scheiss hijoput hijueput cazz fanculo
"""
# Where a word begins, since decent words hold these too: English, French, German, Spanish, Portuguese, Italian.
_AT_START = """
fck fuk(in|ing)?$ cunt whore slut bastard ass$ asses$ arses?$ dick(s|head|heads)?$ cocks?$ pricks?$ puss(y|ies)$
tit(s|ties|ty)?$ boob piss wank twat bollock bugger crap(s|py)?$ damn porn sexy sexi(er|est)$ rap(e|es|ed|ing|ists?)$
cum(s|ming)?$ jizz dildo anal$ anus penis(es)?$ vagin orgasm masturb erotic horny$ milfs?$ bdsm hookers?$
trann(y|ies)$ shemale retard(s|ed)?$ spics?$ kikes?$ chinks?$ gooks?$ coons?$ fags?$ faggot dykes?$ pakis?$ moron
nazi(s|sm|smo|st[aei]n?)?$ hitler kkk$ xxx suck(s|ed|er|ers|ing)?$ butthole poop fart(s|ed|ing)?$ turd hoes?$ thots?$
hentai nudes?$ nudity strippers?$ pedos?$ incest fetish kinky threesome boners?$ semen$ sperm scrotum testicl clit
nipple wtf stfu lmf?ao mofo douche japs?$ homos?$ pimps?$ skank tossers?$ nonces?$ wogs?$ dagos?$ bukkake creampie
deepthroat upskirt negr(o|os|oes|a|as|i|e|es)$ nigra sodom
merd putain put(e|es|a|as|o|os)$ conn(ard|ass|e$|es$) cons$ couill encul niqu(e|er|es|ez)$ salop salaud bordel
chi(er|ant|ante|e|es)$ fout(re|u|us|ue|ues|ent|ez)?$ bites?$ culs?$ pedes?$ tapette gouin bougnoul youpin batard branl
bais(e|es|er|ee|ent|ez)$ chattes?$ nichon pouffi?ass petasse partouz fdp$ ntm$
scheis verschiss arsch fick(?!l) [gv]er?fick fotze hure$ huren nutten?$ schlampe schwuchtel wichs titten neger kanake
muschi schwanze?$ kack pimmel spast missgeburt bumsen kotz furz vergewaltig
puti(ta|to|lla) mierd jod(e|er|es|an|ido|ida|idos|idas|iendo|ete)$ conos?$ cabron gilipoll pendej
ching(a|o|an|on|ar|ones|ado|ada) cul(o|os|ero|eros|era)$ pollas?$ vergas?$ carajo mari(ca|cas|con|cones|quita)$ hdp$
foll(ar|a|as|an|o|ada|ando)$ cojon tetas?$ zorras?$ huevon pinches?$ mamad(a|as|or)$ mamon sudaca
cag(a|ar|o|on|ones|ado|ada|ando|ue|are|ata)$ pajer nalgas perras?$ malparid pijas?$ ojete pelotud bolud
caralh porras?$ fod(a|e|er|eu|o|as|ido|ida|endo|asse|ase)$ b[ou]ceta cus?$ v[ie]ad(o|os|inho)$ bosta arrombad cacete
piroca punhet bunda xo(xo)?ta vadi(a|as)$ vagabund bichas?$ cornos?$ vsf$ pqp$ krl$ crl$ peido estupr escrot babaca
cuza
stronz puttan vaffa coglion fig(a|he)$ fica$ minchi troi(a|e)$ froci zoccol(a|e)$ mignott scop(are|ata|ate)$ pompin
sborr tett(a|e)$ pirla cacca chiapp(a|e)$ porc(a|o)$ incul(a|are|ata|ato)$ ricchion culatton
"""
_PROFANE = re.compile(f"^({'|'.join(_AT_START.split())})|{'|'.join(_ANYWHERE.split())}")


def is_profane(text: str) -> bool:
    """Whether `text` holds profanity, in any case and with or without accents."""
    letters = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(sign for sign in letters if not unicodedata.combining(sign) and sign not in "'’")
    return any(map(_PROFANE.search, re.findall("[a-z]+", plain)))
