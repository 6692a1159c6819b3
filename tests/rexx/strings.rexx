/* the string functions */
say center('mid', 9, '*') left('abc', 5, '.')'|' right('abc', 5, '.') copies('ab', 3)
say substr('abcdef', 3) substr('abcdef', 3, 2) substr('abc', 2, 5, '-') delstr('abcdef', 2, 3)
say insert('XX', 'abcd', 2) overlay('XX', 'abcdef', 3) insert('x', 'ab', 4, 3, '.')
say pos('c', 'abcabc') pos('c', 'abcabc', 4) lastpos('b', 'abcabc') pos('z', 'abc')
say reverse('abc') length('four') length('') compare('abcd', 'abXd') compare('ab', 'ab')
say translate('abcdef', 'ABC', 'abc') translate('lower') translate('4567', 'abcdefg', '1234567')
say verify('12a4', '0123456789') verify('abc', 'xyz', 'M') abbrev('PRINT', 'PRI', 3) abbrev('PRINT', 'PR', 3)
say strip('  both  ')'|' strip('xxleadxx', 'L', 'x') strip('xxtrailxx', 'T', 'x')
say word('one two three', 2) words(' a  b c ') wordindex('one two', 2) wordlength('one three', 2)
say wordpos('two', 'one two three two') wordpos('two', 'one two three two', 3) subword('a b c d', 2, 2)
say delword('Now is the time', 2, 2)'|' space('  a   b ', 2)'|' space('a b c', 0)
say xrange('a', 'f') countstr('a', 'banana') changestr('an', 'banana', '<>')
say datatype('12') datatype('1e3') datatype('x') datatype('12', 'W') datatype('1.5', 'W') datatype('AB', 'U')
say symbol('nothere') symbol('*') value('nothere')
a = 5; say symbol('a') value('a') value('a', 6) a
say 'it''s' "say ""so""" 'a' || 'b' 'c''d'
