"""Charts of figures by date: laid out by axes, written as SVG, painted by a child process; or drawn with characters.

The font is Inter (its licence lies beside it), cut down to Latin and Cyrillic without hints:

    pyftsubset Inter-Regular.ttf --unicodes=U+20-7E,U+A0-17F,U+400-4FF,U+2BB,U+2BC,U+2009,U+200A,U+2010-2015,\\
        U+2018-201E,U+2026,U+202F,U+20AC,U+20B8,U+20BD,U+2116,U+2190-2193,U+2212,U+2248 \\
        --layout-features=kern,mark,mkmk,ccmp,locl,calt,case --no-hinting --name-IDs='*'
"""
