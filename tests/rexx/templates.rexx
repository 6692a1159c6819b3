/* templates of PARSE that other interpreters got wrong, many words, and numbers in loops */
parse value '() outval' with '(' in1 in2 ')' out; say '<'||in1||'><'||in2||'><'||out||'>'
parse value '(inval1 inval2) outval' with '(' in1 in2 ')' out; say '<'||in1||'><'||in2||'><'||out||'>'
parse value 'no such delimiter' with a '(' b ')' c; say '<'||a||'><'||b||'><'||c||'>'
parse value 'GENPROG MY EXEC A ( CLEANUP NOCOMP' with fn ft fm . '(' options; say fn ft fm '|' options
parse value 'one two three four five six seven eight nine ten eleven' with a b c d e f g h i j k
say a'.'||b'.'||c'.'||d'.'||e'.'||f'.'||g'.'||h'.'||i'.'||j'.'||k
parse value '1234567890' with 3 p +2 q 8 r -3 s; say p q r s
parse value 'aXbxcXd' with first 'X' second (nothing) third; say first second third
d = ';'; parse value 'l;m;n' with x (d) y (d) z; say x y z
n = 4; parse value 'abcdefgh' with x =(n) y +(n) z; say x y z
parse value 'a b   c' with x y; say '<'||y||'>'
do i = 1 to 170; if \datatype(i, 'W') | i > 170 then say 'lost at' i; end; say i
do x = 0.1 to 0.5 by 0.1; call charout , x' '; end; say
numeric digits 50; f = 1; do i = 1 to 30; f = f * i; end; say f
say 2 ** -1 7 // -3 (-7) % 3 1e9 * 1e9 d2x(2 ** 40) x2d('FFFFFFFF', 4)
say recurse(200)
exit
recurse: procedure; parse arg n; if n = 0 then return 0; return 1 + recurse(n - 1)
