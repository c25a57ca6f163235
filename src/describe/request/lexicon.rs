//! The words that requests are made of.
//!
//! Each known word has one [`Role`]; phrases become one word first. What is in no list is unknown, and
//! a clause with many unknown words is no clear request.

use super::RequestKind as Kind;

/// What a word does in a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
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
pub(super) fn role(word: &str) -> Role {
    verb(word)
        .or_else(|| topic(word))
        .or_else(|| small_word(word))
        .unwrap_or(Role::Unknown)
}

fn verb(word: &str) -> Option<Role> {
    Some(match word {
        "show" | "highlight" | "emphasise" | "emphasize" | "enhance" | "boost" | "increase"
        | "raise" | "lift" | "strengthen" | "improve" | "amplify" | "accentuate" | "reveal"
        | "restore" | "recover" | "mark" | "display" | "add" | "prominent" | "prioritise"
        | "prioritize" | "intensify" | "expose" | "uncover" | "stress" | "indicate" | "outline"
        | "highlighted" | "emphasised" | "emphasized" | "enhanced" | "shown" | "strengthened"
        | "accent" | "track" | "seek" => Role::Raise,
        "more" => Role::More,
        "see" | "find" | "spot" | "detect" | "locate" | "search" | "seen" | "found" | "notice"
        | "recognise" | "recognize" | "identify" | "distinguish" => Role::See,
        "make" | "turn" | "get" | "bring" | "set" | "take" => Role::Make,
        "remove" | "suppress" | "reduce" | "eliminate" | "less" | "fewer" | "clean" | "fix"
        | "correct" | "repair" | "cancel" | "filter" | "cut" | "drop" | "kill" | "attenuate"
        | "avoid" | "prevent" | "stop" | "fight" | "lower" | "decrease" | "minimise"
        | "minimize" | "weaken" | "hide" | "ignore" | "mute" | "soften" | "delete" | "erase"
        | "mask" | "removed" | "suppressed" | "reduced" | "compensate" | "counteract" | "mend"
        | "overlook" | "lose" | "mitigate" | "penetrate" | "seethrough" | "miss" => Role::Suppress,
        "keep" | "leave" | "preserve" | "retain" | "maintain" | "stay" | "remain" | "hold"
        | "protect" => Role::Keep,
        "let" | "allow" => Role::Let,
        "forget" => Role::Suppress,
        "change" | "touch" | "alter" | "modify" | "edit" | "adjust" => Role::Change,
        "unchanged" | "alone" | "untouched" | "unaltered" => Role::AsIs,
        "denoise" | "degrain" | "destripe" | "smoother" | "smooth" => Role::Better(Kind::Noise),
        "dehaze" | "defog" => Role::Better(Kind::Haze),
        "deblur" | "sharpen" | "sharper" | "crisper" | "refocus" | "sharpened" => {
            Role::Better(Kind::Blur)
        }
        "brighten" | "lighten" | "illuminate" | "brighter" | "lighter" | "brightened" => {
            Role::Better(Kind::Light)
        }
        "darken" | "darker" | "dimmer" => Role::Worse(Kind::Light),
        "blurrier" | "softer" => Role::Worse(Kind::Blur),
        "noisier" | "grainier" => Role::Worse(Kind::Noise),
        "blind" | "blinds" | "blinding" | "blinded" | "dazzle" | "dazzles" | "dazzled"
        | "dazzling" => Role::Blind,
        _ => return None,
    })
}

fn topic(word: &str) -> Option<Role> {
    Some(match word {
        "glare" | "flare" | "flares" | "reflections" | "reflection" | "dazzlement" | "glaring"
        | "halo" | "halos" => Role::Fault(Kind::Glare),
        "haze" | "fog" | "smoke" | "mist" | "steam" | "dust" | "fumes" | "smog" | "vapour"
        | "vapor" => Role::Fault(Kind::Haze),
        "noise" | "grain" | "speckle" | "speckles" | "stripes" | "stripe" | "banding"
        | "grains" | "streaks" | "stripiness" | "graininess" => Role::Fault(Kind::Noise),
        "blur" | "blurriness" | "unsharpness" | "softness" | "defocus" => Role::Fault(Kind::Blur),
        "overexposure" | "highlights" => Role::Fault(Kind::OverExposure),
        "lowlight" | "darkness" | "gloom" => Role::Fault(Kind::Light),
        "hazy" | "foggy" | "smoky" | "misty" | "milky" | "steamy" => Role::Bad(Kind::Haze),
        "noisy" | "grainy" | "striped" | "stripy" | "speckled" => Role::Bad(Kind::Noise),
        "blurred" | "blurry" | "unsharp" | "fuzzy" | "defocused" | "smeared" => {
            Role::Bad(Kind::Blur)
        }
        "overexposed" | "saturated" | "glaringly" => Role::Bad(Kind::OverExposure),
        "flat" | "faint" => Role::Bad(Kind::InfraredContrast),
        "dark" | "dim" | "shadows" | "shadow" | "shadowy" | "underexposed" | "gloomy"
        | "shaded" | "shade" => Role::Dark,
        "night" | "nighttime" | "nocturnal" => Role::Night,
        "people" | "persons" | "person" | "humans" | "human" | "pedestrians" | "pedestrian"
        | "men" | "women" | "man" | "woman" | "child" | "children" | "survivors" | "survivor"
        | "firefighters" | "firefighter" | "soldiers" | "soldier" | "victims" | "victim"
        | "someone" | "somebody" | "anyone" | "anybody" | "everyone" | "everybody" | "walkers"
        | "cyclists" | "cyclist" | "crowd" | "bystanders" | "swimmers" | "hikers" | "intruders"
        | "intruder" | "guy" | "guys" | "kids" | "kid" | "workers" => Role::Target(Kind::People),
        "animals" | "animal" | "dog" | "dogs" | "cat" | "cats" | "deer" | "horse" | "horses"
        | "cow" | "cows" | "sheep" | "boar" | "boars" | "wildlife" | "creatures" | "bird"
        | "birds" | "fox" | "foxes" => Role::Target(Kind::Animals),
        "fire" | "fires" | "flame" | "flames" | "ember" | "embers" | "heat" | "hotspots"
        | "hotspot" | "engine" | "engines" | "vehicle" | "vehicles" | "car" | "cars" => {
            Role::Target(Kind::WarmObjects)
        }
        "warm" | "hot" | "heated" | "warmer" | "hotter" => Role::Warm,
        "object" | "objects" | "spot" | "thing" | "things" | "spots" | "target" | "targets"
        | "areas" | "area" | "regions" | "region" | "parts" | "part" | "places" | "bodies"
        | "body" | "something" => Role::Thing,
        "stronger" | "bolder" | "richer" | "finer" => Role::More,
        "hottest" | "warmest" => Role::Warm,
        "texture" | "textures" | "detail" | "details" | "structure" | "structures" | "surface"
        | "surfaces" => Role::Wanted(Kind::Texture),
        "edges" | "edge" | "outlines" | "contours" | "contour" | "silhouettes" => {
            Role::Wanted(Kind::Edges)
        }
        "contrast" => Role::Wanted(Kind::InfraredContrast),
        "brightness" | "light" | "exposure" | "illumination" | "bright" => {
            Role::Wanted(Kind::Light)
        }
        "sharpness" | "sharp" | "crisp" => Role::Wanted(Kind::Blur),
        "bone" | "bones" | "skull" => Role::Wanted(Kind::Bone),
        "activity" | "uptake" | "metabolism" => Role::Wanted(Kind::Activity),
        "tissue" | "tissues" => Role::Wanted(Kind::SoftTissue),
        "sky" | "clouds" => Role::Wanted(Kind::Sky),
        _ => return None,
    })
}

fn small_word(word: &str) -> Option<Role> {
    Some(match word {
        "not" | "never" | "nor" | "neither" | "hardly" => Role::Not,
        "no" | "without" | "zero" => Role::No,
        "is" | "are" | "am" | "looks" | "look" | "seems" | "seem" | "appears" | "appear"
        | "has" | "have" | "shows" | "contains" | "reveals" | "got" | "gets" => Role::Be,
        "should" | "must" | "shall" => Role::Should,
        "too" | "so" => Role::Too,
        "lamp" | "lamps" | "headlight" | "headlights" | "sun" | "lights" | "torch" | "torches"
        | "spotlight" | "spotlights" | "flashlight" | "sunlight" | "lantern" | "floodlight" => {
            Role::Lamp
        }
        "visible" | "clear" | "clearer" | "noticeable" | "obvious" | "discernible" => Role::Seen,
        "lost" | "hidden" | "invisible" | "unseen" | "disappear" | "vanish" | "disappearing"
        | "buried" | "hard" => Role::Lost,
        "low" | "little" | "lacks" | "lack" | "poor" | "weak" | "missing" | "insufficient" => {
            Role::Lack
        }
        "through" | "behind" | "despite" => Role::Through,
        "where" | "who" | "any" | "whether" | "which" => Role::Asks,
        "what" | "how" | "when" | "why" => Role::Quiz,
        "infrared" | "thermal" | "ir" | "heatmap" => Role::Infrared,
        "colour" | "color" | "rgb" | "daylight" => Role::Visible,
        "image" | "images" | "picture" | "pictures" | "video" | "frame" | "view" | "scene"
        | "camera" | "sensor" | "photo" | "photos" | "display" | "screen" | "fusion" | "result"
        | "footage" | "feed" | "source" | "channel" => Role::Picture,
        "it" | "this" | "that" | "everything" | "there" | "all" | "here" => Role::It,
        "i" | "we" | "my" | "our" => Role::I,
        "me" | "us" => Role::Me,
        "and" | "or" => Role::And,
        "out" | "off" | "away" => Role::Off,
        "want" | "need" | "please" | "like" | "wish" | "would" | "could" | "can" | "will"
        | "you" | "your" | "help" | "try" | "prefer" | "pls" | "kindly" => Role::Want,
        _ if FILLERS.contains(&word) => Role::Filler,
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
