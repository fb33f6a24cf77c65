//! Who hears each status of a UPS as it comes: the history, and outputs that cannot wait for the next look.

use super::source::HearsStatus;
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// The hearers of one source, each as long as it is there.
#[derive(Default)]
pub(super) struct Hearers(RefCell<Vec<Weak<dyn HearsStatus>>>);

impl Hearers {
    /// One more, unless it is there already.
    pub fn add(&self, hearer: &Rc<dyn HearsStatus>) {
        let hearer = Rc::downgrade(hearer);
        let mut all = self.0.borrow_mut();
        if !all.iter().any(|known| known.ptr_eq(&hearer)) {
            all.retain(|known| known.strong_count() > 0);
            all.push(hearer);
        }
    }

    /// Says a status to all of them.
    pub fn tell(&self, ups: &str, words: &str) {
        let there: Vec<Rc<dyn HearsStatus>> = self.0.borrow().iter().filter_map(Weak::upgrade).collect();
        there.iter().for_each(|hearer| hearer.status(ups, words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Ear(RefCell<Vec<String>>);

    impl HearsStatus for Ear {
        fn status(&self, ups: &str, words: &str) {
            self.0.borrow_mut().push(format!("{ups} {words}"));
        }
    }

    #[test]
    fn each_hears_each_status_once_as_long_as_it_is_there() {
        let (hearers, first, second) = (Hearers::default(), Rc::new(Ear::default()), Rc::new(Ear::default()));
        let as_hearer = |ear: &Rc<Ear>| -> Rc<dyn HearsStatus> { ear.clone() };
        for _ in 0..3 {
            hearers.add(&as_hearer(&first));
            hearers.add(&as_hearer(&second));
        }
        hearers.tell("a", "OL");
        drop(second);
        hearers.tell("a", "OB");
        assert_eq!(*first.0.borrow(), ["a OL", "a OB"]);
        hearers.add(&as_hearer(&Rc::new(Ear::default())));
        assert_eq!(hearers.0.borrow().len(), 2);
    }
}
