/* lines and characters of a file */
file = '/tmp/rexx.test'; call lineout file, 'first line', 1; call lineout file, 'second line'; call lineout file
say (lines(file) > 0) linein(file) linein(file) lines(file)
call charout file, 'tail without end'; call lineout file
call stream file, 'C', 'CLOSE'
n = 0; do while lines(file) > 0; n = n + 1; l.n = linein(file); end; say n l.n chars(file)
call stream file, 'C', 'CLOSE'; say charin(file, 1, 5) charin(file, , 3) stream(file, 'S')
call stream file, 'C', 'CLOSE'; say (stream('/no/such', 'C', 'QUERY EXISTS') == '') stream(file, 'C', 'QUERY SIZE')
