/* a program that is wrong half way */
say 'before'; parse value 'x y' with a b; say a + b; say 'after'
