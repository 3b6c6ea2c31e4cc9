"""The Python of the time: print, xrange, backticks, except with a comma, raise with one."""
import sys, string
import theano
import theano.tensor as T

print
print 'a', 1, 2.5, (1, 2), [3, 'b'], None
print 'no newline',
print 'at the end of the line before'
print >> sys.stdout, 'to a file', 3
print '%d of %d: %5.2f %s' % (1, 3, 0.5, 'x'), '|', "%i%%" % 50
print('in brackets'), ('one', 'two')
print ('a tuple', 1)
print `1 + 1`, `'quoted'`, 1 <> 2, 0777, 0xffL, 10L ** 12 / 7
for i in xrange(3):
    print i,
print
print list(xrange(10, 0, -3)), len(xrange(5)), sum(xrange(4)), xrange(7)[2]

try:
    raise ValueError, 'the message'
except ValueError, e:
    print 'caught', e, isinstance(e, ValueError)
try:
    {}['missing']
except (KeyError, IndexError), error:
    print type(error).__name__, error.args

exec 'answer = 6 * 7'
print answer, eval('answer + 1')
print map(lambda v: v * v, [1, 2, 3]), filter(None, [0, 1, 2]), reduce(lambda a, b: a + b, [1, 2, 3, 4])
print zip('ab', [1, 2])[1], range(3) + range(2), map(None, [1, 2]), sorted({'b': 1, 'a': 2}.keys())
print string.join(['a', 'b'], '-'), string.upper('up'), u'uni', isinstance('s', basestring)
print cmp(1, 2), max([2, 10, 3]), sorted([3, 1, 2], cmp=lambda a, b: cmp(b, a)), round(2.5), round(-0.5), int(2.9)
print unicode(12), long(3), isinstance(3, (int, long)), unichr(97), apply(max, (1, 5)), intern('s')

x = T.dscalar('x')
f = theano.function([x], x ** 2)
for i in xrange(2): print i, f(i)
print 'value', f(3), f(0.5) / 2
