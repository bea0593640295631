"""The science: what a learner rebuilds, written to be read. One room per subject, in the order of the chapters.

    ground          what several subjects stand on
    reading         00  a transformer's predictions, its residual stream, and what happens without one head
    superposition   01  toy models that store more features than they have dimensions
    dictionaries    02  sparse autoencoders and transcoders
    induction       03  two heads that continue what came before
    patching        04  which parts does an answer depend on?
    swaps           05  the middle step of a two-hop question, exchanged
    tracing         06  the graph of one answer
    steering        07  making a model do things, and where that ends
    biology         08  field trips: planning, languages, knowing, opinions, refusing

A subject may use earlier subjects, never later ones.
"""
