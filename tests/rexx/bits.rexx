/* characters, hexadecimal, binary */
say c2x('AZ az') x2c('414243') d2x(255) x2d('ff') d2c(65) c2d('A') x2b('a5') b2x('10100101')
say d2x(-1, 2) x2d('ff', 2) x2d('80', 4) c2d('ff'x, 1) d2x(3, 4)
say (bitand('1111'b, '0101'b) == '0101'b) c2x(bitor('12'x, '24'x)) c2x(bitxor('ff'x, '0f'x)) c2x(bitand('73'x, '27'x, '00'x))
say '41 42'x '0100 0001'b "C3"x == d2c(195)
say (x2c('') == '') (c2x('') == '') length(x2c('0001'))
