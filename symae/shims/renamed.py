"""Modules that Python 3 has under another name."""

_PICTURES = ("Image", "ImageChops", "ImageColor", "ImageDraw", "ImageEnhance", "ImageFilter", "ImageFont", "ImageOps")

MODULES = {
    **{"Queue": "queue", "SocketServer": "socketserver", "BaseHTTPServer": "http.server", "SimpleHTTPServer": "http.server"},
    **{"httplib": "http.client", "cookielib": "http.cookiejar", "Cookie": "http.cookies", "xmlrpclib": "xmlrpc.client"},
    **{"HTMLParser": "html.parser", "htmlentitydefs": "html.entities", "robotparser": "urllib.robotparser"},
    **{"Tkinter": "tkinter", "tkFileDialog": "tkinter.filedialog", "tkMessageBox": "tkinter.messagebox", "ttk": "tkinter.ttk"},
    **{"__builtin__": "builtins", "exceptions": "builtins", "copy_reg": "copyreg", "repr": "reprlib", "cProfile": "cProfile"},
    **{"thread": "_thread", "dummy_thread": "_thread", "anydbm": "dbm", "whichdb": "dbm"},
    **{"UserDict": "collections", "UserList": "collections", "UserString": "collections"},
    **{"cElementTree": "xml.etree.ElementTree", "xml.etree.cElementTree": "xml.etree.ElementTree"},
    **dict.fromkeys(("sklearn.grid_search", "sklearn.learning_curve"), "sklearn.model_selection"),
    "sklearn.externals.joblib": "joblib",
    **{name: f"PIL.{name}" for name in _PICTURES},
}
