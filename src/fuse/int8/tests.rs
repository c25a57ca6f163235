use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::*;

/// A graph of one `ConvQuant`, in the way an ONNX file says it; the tests spoil parts of it.
struct Graph {
    weights: Vec<i8>,
    shape: [i64; 4],
    multiplier: Vec<f32>,
    kernel: Option<i64>,
    residual_scale: Option<f32>,
    inputs: usize,
    features: Vec<i64>,
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            weights: vec![1; 4 * 4],
            shape: [4, 4, 1, 1],
            multiplier: vec![1.0; 4],
            kernel: Some(1),
            residual_scale: None,
            inputs: 4,
            features: vec![2, 3, 4],
        }
    }
}

fn constant(name: &str, dims: Vec<i64>, kind: DataType, bytes: Vec<u8>) -> pb::TensorProto {
    pb::TensorProto {
        name: name.to_owned(),
        dims,
        data_type: kind as i32,
        raw_data: bytes,
        ..Default::default()
    }
}

fn attribute(name: &str, i: Option<i64>, f: Option<f32>) -> pb::AttributeProto {
    use pb::attribute_proto::AttributeType;
    let kind = if i.is_some() {
        AttributeType::Int
    } else {
        AttributeType::Float
    };
    pb::AttributeProto {
        name: name.to_owned(),
        i: i.unwrap_or(0),
        f: f.unwrap_or(0.0),
        r#type: kind as i32,
        ..Default::default()
    }
}

impl Graph {
    fn model(&self) -> TractResult<TypedModel> {
        let multiplier = self.multiplier.iter().flat_map(|v| v.to_le_bytes());
        let length = self.multiplier.len() as i64;
        let weights = self.weights.iter().map(|&w| w as u8).collect();
        let inputs = ["x", "w", "b", "m", "x"].map(str::to_owned);
        let mut node = pb::NodeProto {
            name: "conv".to_owned(),
            op_type: "ConvQuant".to_owned(),
            domain: "filmd".to_owned(),
            input: inputs[..self.inputs].to_vec(),
            output: vec!["y".to_owned()],
            ..Default::default()
        };
        if let Some(kernel) = self.kernel {
            node.attribute.push(attribute("kernel", Some(kernel), None));
        }
        if let Some(scale) = self.residual_scale {
            node.attribute
                .push(attribute("residual_scale", None, Some(scale)));
        }
        let kind = pb::TypeProto {
            denotation: String::new(),
            value: Some(pb::type_proto::Value::TensorType(pb::type_proto::Tensor {
                elem_type: DataType::Int8 as i32,
                shape: None,
            })),
        };
        let value = |name: &str| pb::ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(kind.clone()),
            ..Default::default()
        };
        let graph = pb::GraphProto {
            node: vec![node],
            initializer: vec![
                constant("w", self.shape.to_vec(), DataType::Int8, weights),
                constant(
                    "b",
                    vec![length],
                    DataType::Int32,
                    vec![0; 4 * length as usize],
                ),
                constant("m", vec![length], DataType::Float, multiplier.collect()),
            ],
            input: vec![value("x")],
            output: vec![value("y")],
            ..Default::default()
        };
        let proto = pb::ModelProto {
            ir_version: 8,
            graph: Some(graph),
            opset_import: vec![pb::OperatorSetIdProto {
                domain: String::new(),
                version: 17,
            }],
            ..Default::default()
        };
        let mut model = super::reader().model_for_proto_model(&proto)?;
        let fact = InferenceFact::dt_shape(i8::datum_type(), &self.features);
        model.set_input_fact(0, fact)?;
        model.into_typed()?.into_optimized()
    }

    fn run(&self, input: &[i8]) -> Vec<i8> {
        let shape: Vec<usize> = self.features.iter().map(|&n| n as usize).collect();
        let input = Tensor::from_shape(&shape, input).unwrap();
        let plan = self.model().unwrap().into_runnable().unwrap();
        let outputs = plan.run(tvec!(input.into_tvalue())).unwrap();
        super::node::values::<i8>(&outputs[0]).unwrap().to_vec()
    }
}

#[test]
fn a_node_computes_its_convolution() {
    let mut graph = Graph {
        weights: (0..16).map(|i| i8::from(i % 5 == 0)).collect(),
        ..Graph::default()
    };
    let input: Vec<i8> = (-12..12).collect();
    assert_eq!(graph.run(&input), input);
    graph.residual_scale = Some(2.0);
    graph.inputs = 5;
    let thrice: Vec<i8> = input.iter().map(|v| v * 3).collect();
    assert_eq!(graph.run(&input), thrice);
}

/// Each spoils one thing of a graph that is fine.
#[test]
fn graphs_out_of_range_are_refused() {
    let spoil: [fn(&mut Graph); 15] = [
        |g| g.kernel = None,
        |g| g.kernel = Some(2),
        |g| g.kernel = Some(-1),
        |g| g.kernel = Some(3),
        |g| g.residual_scale = Some(1.0),
        |g| g.inputs = 3,
        |g| g.inputs = 5,
        |g| g.multiplier[2] = f32::NAN,
        |g| g.multiplier = vec![1.0; 5],
        |g| g.weights[3] = -128,
        |g| g.shape = [1, 16, 1, 1],
        |g| g.features = vec![2, 3, 5],
        |g| g.features = vec![6, 4],
        |g| {
            g.residual_scale = Some(f32::INFINITY);
            g.inputs = 5;
        },
        |g| {
            g.residual_scale = Some(0.0);
            g.inputs = 5;
        },
    ];
    assert!(Graph::default().model().is_ok());
    for (i, spoil) in spoil.into_iter().enumerate() {
        let mut graph = Graph::default();
        spoil(&mut graph);
        assert!(graph.model().is_err(), "{i}");
    }
}

#[test]
fn values_that_are_not_finite_are_refused() {
    use super::node::finite;
    assert!(finite(&[0.0, -3.0, 1e9]).is_ok());
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(finite(&[1.0, bad, 0.0]).is_err());
    }
}
