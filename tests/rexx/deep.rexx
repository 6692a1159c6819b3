/* recursion a thousand deep */
say depth(1000)
exit
depth: procedure; arg n; if n = 0 then return 'bottom'; return depth(n - 1)
