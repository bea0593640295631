"""A web page of the course, made from the executed solutions: `mi-tutor site`.

1. `places` says which file of the repository becomes which page, and turns links accordingly.
2. `texts` makes HTML of Markdown, with its formulas as MathML (`formulas`).
3. `cells` makes HTML of a notebook's cells, with solutions that open on click; `figures` and `quick_checks` help.
4. `chapters`, `cards` and `words` make a page each of a notebook, a specimen's card and a Markdown file.
5. `building` writes all of them, the scripts and the index of the search (`searching`).

Nothing in a page asks the network for anything: docs/decisions/0012-the-web-page.md.
"""
