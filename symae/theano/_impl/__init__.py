"""How symae answers as Theano did; the modules around it have Theano's names."""
