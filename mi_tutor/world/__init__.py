"""The specimens' language: true facts, a grammar that tells them, labels per token, and a tokenizer.

Nothing here needs torch. From the facts upwards:

    facts/              plain tables of states, countries, cities, translations; read and corrected there
    tables              the tables as frozen dataclasses
    pieces              how the names that questions start from are cut into shared pieces
    tokenizer           a Hugging Face tokenizer of whole words and pieces; unknown words are named
    splits              what is held out, by keyed hash
    text                sentences in labelled segments, and the table token × concept
    geography           sentences and two-hop questions about the facts, in three languages
    leaks               a search for held-out facts in any text
    themes/             indirect objects, couplets, people, requests, opinions, code and other contexts
    corpus              all of it mixed into training rows
"""
