/* DATE and TIME of what is given */
say date('S', '1 Jan 2000') date('B', 20000101, 'S') date('S', 730119, 'B') date('N', 20240229, 'S')
say date('D', 20241231, 'S') date('W', 20240704, 'S') date('M', 20240704, 'S') date('U', 20240704, 'S')
say date('E', 20240704, 'S') date('O', 20240704, 'S') date('I', 20240704, 'S')
say time('C', '13:05:00', 'N') time('S', '01:00:01', 'N') time('M', '02:03:04', 'N') time('H', '23:59:59', 'N')
say (time('N', '1:05pm', 'C')) (date('B') > 730000) datatype(time('S'), 'W') (length(time('L')) > 8)
r = time('R'); say time('E') >= 0
