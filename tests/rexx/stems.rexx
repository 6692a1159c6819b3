/* compound variables: defaults, tails, DROP, big stems */
s. = 'none'; s.1 = 'one'; i = 1; say s.i s.2 s.i.j
a.b = 1; b = 'X'; a.b = 2; say a.b a.X a.B
drop s.1; say s.1; drop s.; say s.1
k = 'a key with blanks'; t.k = 'found'; say t.k
count. = 0; text = 'the cat the dog the end'; do w = 1 to words(text); x = word(text, w); count.x = count.x + 1; end
say count.the count.THE; x = 'the'; say count.x
do n = 1 to 20000; big.n = n * n; end; big.0 = 20000; sum = 0
numeric digits 15; do n = 1 to big.0; sum = sum + big.n; end; say sum big.20000
matrix. = 0; do r = 1 to 3; do c = 1 to 3; matrix.r.c = r * c; end; end; say matrix.2.3 matrix.3.3 matrix.4.4
