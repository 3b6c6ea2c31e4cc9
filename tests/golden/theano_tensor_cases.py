"""Expressions of theano.tensor that real Theano and symae.theano are both asked for. Runs on Python 3.8 too.

No comparison is among them: Theano 1.0.5's are bool, symae.theano's int8, as those of the scripts' time were.
"""

import numpy as np

A = np.array([[1.0, -2.0, 3.0], [0.5, 5.0, -6.0]])
I = np.array([[3, -1], [2, 7]], "int32")  # noqa: E741
ARRAYS = {
    "x": A,
    "p": abs(A) + 0.1,
    "f": A.astype("float32"),
    "v": np.array([3.0, 1.0, 2.0]),
    "i": I,
    "b": I.astype("int8"),
    "h": 1 / np.add.outer(np.arange(5), np.arange(1, 6)).astype("float32"),  # ill-conditioned
    "t3": np.arange(12.0).reshape(2, 3, 2),
}

EXPRESSIONS = """
abs(x)
-x
T.abs_(x)
T.inv(x*2)
T.sgn(x)
T.sqr(x)
T.neq(x,1)*1.
T.minimum(x,0)
T.maximum(i,0.5)
T.clip(x,-1,2)
T.switch(x>0,x,0)
T.where(x>0,1,0)
T.round(x)
T.round(x,mode='half_away_from_zero')
T.iround(x)
T.floor(x)
T.ceil(x)
T.trunc(x)
T.power(x,2)
T.pow(i,2)
i//2
i%2
x//2
x%2
T.int_div(i,2)
T.true_div(i,2)
T.and_(i,1)
T.or_(i,1)
T.xor(i,1)
T.invert(i)
T.smallest(x,0)
T.log1p(p)
T.expm1(x)
T.arctan2(x,p)
T.gammaln(p)
T.psi(p)
T.erf(x)
T.deg2rad(x)
T.cast(x,'int8')
x.astype('float32')
i.sum()
b.sum()
b.sum(axis=0)
b.prod()
b.mean()
f.mean()
f.sum(axis=1)
x.var()
x.std(axis=0)
x.var(ddof=1)
x.max()
x.min(axis=1)
x.argmax(axis=1)
T.argmax(x)
T.argmin(x,axis=0)
T.argmax(t3,axis=[0,2])
T.max(x,axis=(0,1),keepdims=True)
T.mean(x,axis=[0],keepdims=True)
T.ptp(x)
x.norm(2)
x.norm(1,axis=1)
T.max_and_argmax(x,axis=1)[1]
T.any(x>4)*1
T.all(x>4,axis=0)*1
T.sum(b,dtype='int8')
T.mean(b,dtype='float32')
T.prod(v)
x.T
x.flatten()
T.flatten(t3,outdim=2)
t3.flatten(2)
x.reshape((3,2))
x.reshape([3,-1])
x.reshape((3,2),2)
T.stack([v,v],axis=1)
T.stack(v,v)
T.concatenate([x,x],axis=1)
T.join(0,x,f)
T.tile(v,2)
T.tile(x,(2,1))
T.tile(v,(2,2))
T.repeat(v,2)
T.roll(v,1)
x.dimshuffle(1,'x',0)
T.shape_padleft(v)
T.shape_padright(v)
T.shape_padaxis(x,1)
T.swapaxes(x,0,1)
T.transpose(t3,(2,0,1))
T.diag(v)
T.diag(x)
x.diagonal()
x.trace()
T.tril(x)
T.triu(x,1)
T.outer(v,v)
T.squeeze(x.dimshuffle('x',0,1))
T.split(v,[1,2],2)[1]
T.nonzero(x>0)[1]
T.nonzero_values(x)
T.flatnonzero(x>0)
T.vertical_stack(x,x)
T.horizontal_stack(x,x)
T.inverse_permutation(T.constant([2,0,1]))
T.extra_ops.CumOp(axis=1)(x)
T.extra_ops.CumOp(mode='mul')(x)
T.extra_ops.CpuContiguous()(x.T)
T.extra_ops.RepeatOp(axis=1)(x,2)
T.extra_ops.DiffOp(1,1)(x)
T.extra_ops.SearchsortedOp('right')(T.sort(v),2.)
T.extra_ops.FillDiagonal()(x,7.)
T.extra_ops.FillDiagonalOffset()(x,7.,1)
T.extra_ops.Bartlett()(4)
T.extra_ops.Unique(True,True)(i)[2]
T.extra_ops.UnravelIndex(2)(T.constant([5,3]),T.constant([2,3]))[0]
T.extra_ops.RavelMultiIndex()(T.constant([1,0]),T.constant([2,1]),(2,3))
T.extra_ops.unravel_index(T.constant([5,3]),T.constant([2,3]),ndim=2)[1]
T.extra_ops.unravel_index(T.constant([5,3]),(2,3),'F')[1]
T.blas.gemm_no_inplace(x,T.cast(2,'float64'),x[:,:2],p,T.cast(3,'float64'))
T.blas.Gemm(inplace=False)(x/0,T.cast(2,'float64'),x[:,:2],p,T.cast(0,'float64'))
T.blas.gemv_no_inplace(x[:,0],T.cast(2,'float64'),x,p[0],T.cast(3,'float64'))
T.blas.gemv_no_inplace(x[:,0]/0,T.cast(2,'float64'),x,p[0],T.cast(0,'float64'))
T.blas.ger(x,T.cast(2,'float64'),x[:,0],p[0])
T.blas._dot22scalar(x,p.T,T.cast(2,'float64'))
T.nlinalg.MatrixInverse()(x[:,:2])
T.nlinalg.MatrixPinv()(x)
T.nlinalg.Det()(x[:,:2])
T.nlinalg.SVD(compute_uv=False)(x)
T.nlinalg.Eigh('U')(x.dot(x.T))[0]
T.nlinalg.QRIncomplete('r')(x[:,:2])**2
T.nlinalg.TensorInv(1)(x[:,:2])
T.nlinalg.AllocDiag()(v)
T.nlinalg.lstsq()(x[:,:2],x[:,1:],-1.)[0]
T.slinalg.Expm()(x[:,:2])
T.slinalg.Eigvalsh()(x.dot(x.T),T.constant(np.eye(2)))
T.slinalg.solve(i,[1,2])
T.Flatten(1)(x)
T.Tile(2)(x,(1,2))
T.Rebroadcast((0,True))(x[:1])
T.MaxAndArgmax([1])(x)[0]
T.MaxAndArgmax([0])(x)[1]
T.AdvancedSubtensor1()(v,T.constant([0,2]))
T.AdvancedIncSubtensor1()(v,T.constant([1.]),T.constant([2]))
T.nnet.nnet.Softmax()(x)
T.nnet.nnet.LogSoftmax()(x)
T.nnet.nnet.SoftmaxWithBias()(x,v)
T.nnet.nnet.SoftmaxGrad()(x,p)
T.nnet.nnet.CrossentropyCategorical1Hot()(p,T.constant([2,0]))
T.nnet.nnet.Prepend_scalar_to_each_row()(T.constant(1.),x)
T.take(x,[0,2],axis=1)
T.choose([0,1,0],[v,-v])
T.stacklists([[v[0],v[1]],[v[2],v[0]]])
x[0]
x[:,1:]
x[::-1]
x[[1,0]]
x[T.arange(2),[0,2]]
x[(x>2).nonzero()]
T.set_subtensor(x[0],0.)
T.inc_subtensor(x[:,1],5)
T.set_subtensor(v[[0,2]],[7.,8.])
T.inc_subtensor(v[[0,0]],1.)
T.dot(x,v)
T.dot(x,x.T)
T.dot(t3,v[:2])
x.dot(v)
T.tensordot(t3,x,axes=[[1],[1]])
T.tensordot(x,x.T,1)
T.batched_dot(t3,t3.dimshuffle(0,2,1))
T.batched_dot(x,x)
T.batched_dot(t3,x[:,:2])
T.batched_tensordot(t3,t3,[[1],[1]])
T.arange(3)
T.arange(1,7,2)
T.arange(3.)
T.eye(2,3)
T.zeros((2,1))
T.ones((2,),dtype='int8')
T.zeros_like(i)
T.ones_like(x,dtype='float32')
T.alloc(2,2,1)
T.alloc(np.float32(1),2)
T.fill(x,3)
T.identity_like(x.dot(x.T))
T.constant(300)
T.constant(2.5)
T.as_tensor_variable([1,v[0]])
T.mgrid[0:2,0:3][1]
T.sort(x,axis=0)
T.sort(x,axis=None)
T.argsort(v)
T.cov(x)
T.allclose(x,x)*1
T.complex(v,v).real
T.conj(v)
T.batched_dot(t3.dimshuffle(0,1,'x',2),x[:,:2])
T.basic._convert_to_int32(x)
T.slinalg.kron(v,x)
T.slinalg.kron(x,v)
T.slinalg.kron(t3,x)
T.slinalg.kron(x,t3)
T.nlinalg.eigh(T.dot(x.T,x))[1]
T.nlinalg.eigh(T.dot(x,x.T),'U')[1]
T.nlinalg.qr(x,'raw')[0]
T.nlinalg.qr(x.T,'raw')[1]
T.nlinalg.matrix_inverse(h)
T.nlinalg.pinv(h)
T.nlinalg.det(h)
T.nlinalg.eigh(h)[0]
T.nlinalg.svd(h)[1]
T.nlinalg.qr(h,'r')
T.nlinalg.tensorinv(h,1)
T.nlinalg.matrix_inverse(T.cast(h,'complex64')).imag
T.tile(v,T.arange(i[1,0],3),ndim=2)
T.tile(v,i[1,0])
T.tile(x,(2,i[1,0],1))
T.max_and_argmax(x,[0,0])[1]
T.patternbroadcast(x,())
T.conj(x)
T.SpecifyShape()(x,[2,3])
""".strip().splitlines()


def evaluate(theano, text):
    """Return the dtype, the pattern of broadcasting and the value, rounded to nine places, of an expression of the `ARRAYS`."""
    tensor = theano.tensor
    names = {name: tensor.constant(array) for name, array in ARRAYS.items()}
    result = eval(text, {"T": tensor, "np": np, **names})
    value = theano.function([], result, mode="FAST_COMPILE")()
    return {
        "dtype": str(result.dtype),
        "broadcastable": list(result.broadcastable),
        "value": np.round(np.asarray(value).astype("float64"), 9).tolist(),
    }
