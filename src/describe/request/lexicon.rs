//! The words that requests are made of.
//!
//! Each known word has one [`WordRole`]; phrases become one word first. What is in no list is unknown, and
//! a clause with many unknown words is no clear request.

use super::RequestKind as Kind;

/// What a word does in a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WordRole {
    /// "show", "highlight".
    Raise,
    /// "more": of a fault or a quality; "more people" asks for nothing.
    More,
    /// "see", "find": a wish in an order or after "want", a report after "I".
    See,
    /// "make", "turn": what follows says what it shall become.
    Make,
    /// "remove", "less".
    Suppress,
    /// "keep", "leave".
    Keep,
    /// "let", "allow".
    Let,
    /// "change", "touch".
    Change,
    /// "as it is", "unchanged".
    AsIs,
    /// "not", "never".
    Not,
    /// "no", "without": of the noun that follows.
    No,
    /// "is", "looks", "has", "there".
    Be,
    /// "should", "must".
    Should,
    /// "too", "so".
    Too,
    /// A fault's noun: "glare", "noise".
    Fault(Kind),
    /// A fault's adjective: "hazy", "blurred".
    Bad(Kind),
    /// "dark", "shadows": a fault as an adjective, a place as a noun.
    Dark,
    /// "night".
    Night,
    /// What can be raised against its surroundings: "people", "dogs".
    Target(Kind),
    /// "warm", "hot": with a thing, a target.
    Warm,
    /// "object", "spot".
    Thing,
    /// What can be strengthened: "texture", "contrast".
    Wanted(Kind),
    /// A verb or comparative that names its own topic: "brighten", "sharper".
    Better(Kind),
    /// The opposite: "darken", "blurrier".
    Worse(Kind),
    /// "blind", "dazzle".
    Blind,
    /// "lamp", "sun": what dazzles.
    Lamp,
    /// "visible", "clear" of a target.
    Seen,
    /// "hidden", "lost", "invisible".
    Lost,
    /// "low", "little", "lacks".
    Lack,
    /// "through", "behind".
    Through,
    /// "where", "who", "any".
    Asks,
    /// "what", "how": asks about words, not for a change.
    Quiz,
    /// "infrared", "thermal".
    Infrared,
    /// "visible" as a source's name, "colour".
    Visible,
    /// "image", "camera", "scene": what is talked about.
    Picture,
    /// "it", "this", "everything".
    It,
    /// "i", "we", "my".
    I,
    /// "me", "us".
    Me,
    /// "out", "away": with a fault, it shall go.
    Off,
    /// "and" between nouns.
    And,
    /// "want", "need", "please".
    Want,
    /// Known, without a meaning of its own: articles, prepositions, things in scenes.
    Filler,
    /// Not known.
    Unknown,
}

/// A word's role.
pub(super) fn role(word: &str) -> WordRole {
    verb(word)
        .or_else(|| topic(word))
        .or_else(|| small_word(word))
        .unwrap_or(WordRole::Unknown)
}

fn verb(word: &str) -> Option<WordRole> {
    Some(match word {
        "show" | "highlight" | "emphasise" | "emphasize" | "enhance" | "boost" | "increase"
        | "raise" | "lift" | "strengthen" | "improve" | "amplify" | "accentuate" | "reveal"
        | "restore" | "recover" | "mark" | "display" | "add" | "prominent" | "prioritise"
        | "prioritize" | "intensify" | "expose" | "uncover" | "stress" | "indicate" | "outline"
        | "highlighted" | "emphasised" | "emphasized" | "enhanced" | "shown" | "strengthened"
        | "accent" | "track" | "seek" => WordRole::Raise,
        "more" => WordRole::More,
        "see" | "find" | "spot" | "detect" | "locate" | "search" | "seen" | "found" | "notice"
        | "recognise" | "recognize" | "identify" | "distinguish" => WordRole::See,
        "make" | "turn" | "get" | "bring" | "set" | "take" => WordRole::Make,
        "remove" | "suppress" | "reduce" | "eliminate" | "less" | "fewer" | "clean" | "fix"
        | "correct" | "repair" | "cancel" | "filter" | "cut" | "drop" | "kill" | "attenuate"
        | "avoid" | "prevent" | "stop" | "fight" | "lower" | "decrease" | "minimise"
        | "minimize" | "weaken" | "hide" | "ignore" | "mute" | "soften" | "delete" | "erase"
        | "mask" | "removed" | "suppressed" | "reduced" | "compensate" | "counteract" | "mend"
        | "overlook" | "lose" | "mitigate" | "penetrate" | "seethrough" | "miss" => {
            WordRole::Suppress
        }
        "keep" | "leave" | "preserve" | "retain" | "maintain" | "stay" | "remain" | "hold"
        | "protect" => WordRole::Keep,
        "let" | "allow" => WordRole::Let,
        "forget" => WordRole::Suppress,
        "change" | "touch" | "alter" | "modify" | "edit" | "adjust" => WordRole::Change,
        "unchanged" | "alone" | "untouched" | "unaltered" => WordRole::AsIs,
        "denoise" | "degrain" | "destripe" | "smoother" | "smooth" => WordRole::Better(Kind::Noise),
        "dehaze" | "defog" => WordRole::Better(Kind::Haze),
        "deblur" | "sharpen" | "sharper" | "crisper" | "refocus" | "sharpened" => {
            WordRole::Better(Kind::Blur)
        }
        "brighten" | "lighten" | "illuminate" | "brighter" | "lighter" | "brightened" => {
            WordRole::Better(Kind::Light)
        }
        "darken" | "darker" | "dimmer" => WordRole::Worse(Kind::Light),
        "blurrier" | "softer" => WordRole::Worse(Kind::Blur),
        "noisier" | "grainier" => WordRole::Worse(Kind::Noise),
        "blind" | "blinds" | "blinding" | "blinded" | "dazzle" | "dazzles" | "dazzled"
        | "dazzling" => WordRole::Blind,
        _ => return None,
    })
}

fn topic(word: &str) -> Option<WordRole> {
    Some(match word {
        "glare" | "flare" | "flares" | "reflections" | "reflection" | "dazzlement" | "glaring"
        | "halo" | "halos" => WordRole::Fault(Kind::Glare),
        "haze" | "fog" | "smoke" | "mist" | "steam" | "dust" | "fumes" | "smog" | "vapour"
        | "vapor" => WordRole::Fault(Kind::Haze),
        "noise" | "grain" | "speckle" | "speckles" | "stripes" | "stripe" | "banding"
        | "grains" | "streaks" | "stripiness" | "graininess" => WordRole::Fault(Kind::Noise),
        "blur" | "blurriness" | "unsharpness" | "softness" | "defocus" => {
            WordRole::Fault(Kind::Blur)
        }
        "overexposure" | "highlights" => WordRole::Fault(Kind::OverExposure),
        "lowlight" | "darkness" | "gloom" => WordRole::Fault(Kind::Light),
        "hazy" | "foggy" | "smoky" | "misty" | "milky" | "steamy" => WordRole::Bad(Kind::Haze),
        "noisy" | "grainy" | "striped" | "stripy" | "speckled" => WordRole::Bad(Kind::Noise),
        "blurred" | "blurry" | "unsharp" | "fuzzy" | "defocused" | "smeared" => {
            WordRole::Bad(Kind::Blur)
        }
        "overexposed" | "saturated" | "glaringly" => WordRole::Bad(Kind::OverExposure),
        "flat" | "faint" => WordRole::Bad(Kind::InfraredContrast),
        "dark" | "dim" | "shadows" | "shadow" | "shadowy" | "underexposed" | "gloomy"
        | "shaded" | "shade" => WordRole::Dark,
        "night" | "nighttime" | "nocturnal" => WordRole::Night,
        "people" | "persons" | "person" | "humans" | "human" | "pedestrians" | "pedestrian"
        | "men" | "women" | "man" | "woman" | "child" | "children" | "survivors" | "survivor"
        | "firefighters" | "firefighter" | "soldiers" | "soldier" | "victims" | "victim"
        | "someone" | "somebody" | "anyone" | "anybody" | "everyone" | "everybody" | "walkers"
        | "cyclists" | "cyclist" | "crowd" | "bystanders" | "swimmers" | "hikers" | "intruders"
        | "intruder" | "guy" | "guys" | "kids" | "kid" | "workers" => {
            WordRole::Target(Kind::People)
        }
        "animals" | "animal" | "dog" | "dogs" | "cat" | "cats" | "deer" | "horse" | "horses"
        | "cow" | "cows" | "sheep" | "boar" | "boars" | "wildlife" | "creatures" | "bird"
        | "birds" | "fox" | "foxes" => WordRole::Target(Kind::Animals),
        "fire" | "fires" | "flame" | "flames" | "ember" | "embers" | "heat" | "hotspots"
        | "hotspot" | "engine" | "engines" | "vehicle" | "vehicles" | "car" | "cars" => {
            WordRole::Target(Kind::WarmObjects)
        }
        "warm" | "hot" | "heated" | "warmer" | "hotter" => WordRole::Warm,
        "object" | "objects" | "spot" | "thing" | "things" | "spots" | "target" | "targets"
        | "areas" | "area" | "regions" | "region" | "parts" | "part" | "places" | "bodies"
        | "body" | "something" => WordRole::Thing,
        "stronger" | "bolder" | "richer" | "finer" => WordRole::More,
        "hottest" | "warmest" => WordRole::Warm,
        "texture" | "textures" | "detail" | "details" | "structure" | "structures" | "surface"
        | "surfaces" => WordRole::Wanted(Kind::Texture),
        "edges" | "edge" | "outlines" | "contours" | "contour" | "silhouettes" => {
            WordRole::Wanted(Kind::Edges)
        }
        "contrast" => WordRole::Wanted(Kind::InfraredContrast),
        "brightness" | "light" | "exposure" | "illumination" | "bright" => {
            WordRole::Wanted(Kind::Light)
        }
        "sharpness" | "sharp" | "crisp" => WordRole::Wanted(Kind::Blur),
        "bone" | "bones" | "skull" => WordRole::Wanted(Kind::Bone),
        "activity" | "uptake" | "metabolism" => WordRole::Wanted(Kind::Activity),
        "tissue" | "tissues" => WordRole::Wanted(Kind::SoftTissue),
        "sky" | "clouds" => WordRole::Wanted(Kind::Sky),
        _ => return None,
    })
}

fn small_word(word: &str) -> Option<WordRole> {
    Some(match word {
        "not" | "never" | "nor" | "neither" | "hardly" => WordRole::Not,
        "no" | "without" | "zero" => WordRole::No,
        "is" | "are" | "am" | "looks" | "look" | "seems" | "seem" | "appears" | "appear"
        | "has" | "have" | "shows" | "contains" | "reveals" | "got" | "gets" => WordRole::Be,
        "should" | "must" | "shall" => WordRole::Should,
        "too" | "so" => WordRole::Too,
        "lamp" | "lamps" | "headlight" | "headlights" | "sun" | "lights" | "torch" | "torches"
        | "spotlight" | "spotlights" | "flashlight" | "sunlight" | "lantern" | "floodlight" => {
            WordRole::Lamp
        }
        "visible" | "clear" | "clearer" | "noticeable" | "obvious" | "discernible" => {
            WordRole::Seen
        }
        "lost" | "hidden" | "invisible" | "unseen" | "disappear" | "vanish" | "disappearing"
        | "buried" | "hard" => WordRole::Lost,
        "low" | "little" | "lacks" | "lack" | "poor" | "weak" | "missing" | "insufficient" => {
            WordRole::Lack
        }
        "through" | "behind" | "despite" => WordRole::Through,
        "where" | "who" | "any" | "whether" | "which" => WordRole::Asks,
        "what" | "how" | "when" | "why" => WordRole::Quiz,
        "infrared" | "thermal" | "ir" | "heatmap" => WordRole::Infrared,
        "colour" | "color" | "rgb" | "daylight" => WordRole::Visible,
        "image" | "images" | "picture" | "pictures" | "video" | "frame" | "view" | "scene"
        | "camera" | "sensor" | "photo" | "photos" | "display" | "screen" | "fusion" | "result"
        | "footage" | "feed" | "source" | "channel" => WordRole::Picture,
        "it" | "this" | "that" | "everything" | "there" | "all" | "here" => WordRole::It,
        "i" | "we" | "my" | "our" => WordRole::I,
        "me" | "us" => WordRole::Me,
        "and" | "or" => WordRole::And,
        "out" | "off" | "away" => WordRole::Off,
        "want" | "need" | "please" | "like" | "wish" | "would" | "could" | "can" | "will"
        | "you" | "your" | "help" | "try" | "prefer" | "pls" | "kindly" => WordRole::Want,
        _ if FILLERS.contains(&word) => WordRole::Filler,
        _ => return None,
    })
}

/// Known words without a meaning of their own here.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "to",
    "of",
    "in",
    "on",
    "at",
    "by",
    "from",
    "for",
    "with",
    "as",
    "be",
    "do",
    "does",
    "but",
    "if",
    "then",
    "than",
    "now",
    "just",
    "also",
    "again",
    "back",
    "up",
    "down",
    "its",
    "their",
    "them",
    "they",
    "these",
    "those",
    "some",
    "each",
    "every",
    "both",
    "only",
    "still",
    "even",
    "always",
    "almost",
    "quite",
    "rather",
    "ones",
    "one",
    "two",
    "three",
    "four",
    "five",
    "several",
    "many",
    "few",
    "other",
    "because",
    "since",
    "give",
    "road",
    "street",
    "tree",
    "trees",
    "building",
    "buildings",
    "house",
    "ground",
    "grass",
    "leaves",
    "forest",
    "wall",
    "walls",
    "sign",
    "signs",
    "water",
    "path",
    "field",
    "background",
    "foreground",
    "front",
    "near",
    "next",
    "between",
    "behind",
    "around",
    "inside",
    "fused",
    "final",
    "output",
    "upright",
    "red",
    "small",
    "large",
    "big",
    "tiny",
    "distant",
    "far",
    "vertical",
    "horizontal",
    "fixed",
    "pattern",
    "quality",
    "level",
    "levels",
    "look",
    "anything",
    "nothing",
    "while",
    "everywhere",
    "such",
    "own",
    "been",
    "being",
    "standing",
    "walking",
    "lying",
    "hiding",
    "running",
    "sitting",
    "moving",
    "driving",
    "coming",
    "oncoming",
    "hey",
    "ok",
    "okay",
    "well",
    "lit",
    "strong",
    "fine",
    "entire",
    "whole",
    "complete",
    "local",
    "overall",
    "global",
    "natural",
    "balanced",
    "exposed",
    "over",
    "under",
    "against",
    "white",
    "black",
    "grey",
    "gray",
    "caused",
    "due",
    "living",
    "alive",
    "instead",
    "possible",
    "really",
    "him",
    "her",
];
