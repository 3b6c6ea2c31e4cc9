"""Legacy Theano scripts, run as they are: Python 2's language, the libraries of that time, the tutorials' data.

`symae.legacy.run.run_script` is what ``symae run script.py`` calls. Everything that it changes in the process is put back when
the script ends, except for an audit hook, which then does nothing. `file_redirection` and `path_mapping` redirect what a script
writes into the output folder, `audit` forbids what they do not see, and `confinement` what Python does not see, where the
system can.
"""
