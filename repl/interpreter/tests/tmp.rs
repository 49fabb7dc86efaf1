#[test] fn dump() {
    let mut names = interpreter::lower::Names::default(); let mut items = Default::default();
    for (i, l) in ["let mut a = 1;", "let (x, y) = (&a, &a);"].iter().enumerate() { println!("{:#?}", interpreter::lower::line(&mut names, &mut items, i as u32, l)); }
}
