"""Which kinds of programs there are, and how often."""

from random_graphs import arrays, indexing, networks

GLUE = (
    arrays.unary,
    arrays.unary,
    arrays.binary,
    arrays.binary,
    arrays.bounded,
    arrays.reduce,
    arrays.reshape,
    arrays.cast,
    networks.layer,
)

# theme: (weight, productions)
THEMES = {
    "elements": (12, (arrays.unary, arrays.binary, arrays.switch, arrays.cast)),
    "reductions": (10, (arrays.reduce,)),
    "shapes": (10, (arrays.reshape,)),
    "order": (3, (arrays.order,)),
    "linear algebra": (6, (arrays.linear,)),
    "special values": (6, (arrays.special,)),
    "reading": (10, (indexing.read, indexing.read, indexing.look_up)),
    "writing": (9, (indexing.write,)),
    "costs": (9, (networks.costs,)),
    "layers": (4, (networks.layer,)),
    "images": (9, (networks.images,)),
    "loops": (9, (networks.loop,)),
    "conditions": (4, (networks.condition,)),
    "draws": (5, (networks.draw, networks.noise)),
    "functions": (1, (networks.function_of_function,)),
    "sparse": (6, (networks.sparse,)),
}
