"""Legacy Theano scripts, run as they are: Python 2's language, the libraries of that time, the tutorials' data.

`symae.legacy.run.run_script` is what ``symae run script.py`` calls. Everything that it changes in the process is put back when
the script ends, and no file of the user's is changed.
"""
