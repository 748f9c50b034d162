namespace ImageStore.Snapshotters.Tests.Layers;

// Each suite for layers, in directories and in images.

public sealed class DirectoryHostileLayerTests() : HostileLayerSuite(new DirectoryBench());

public sealed class ImageHostileLayerTests() : HostileLayerSuite(new ImageBench());

public sealed class DirectoryTarFormatTests() : TarFormatSuite(new DirectoryBench());

public sealed class ImageTarFormatTests() : TarFormatSuite(new ImageBench());

public sealed class DirectorySparseFileTests() : SparseFileSuite(new DirectoryBench());

public sealed class ImageSparseFileTests() : SparseFileSuite(new ImageBench());

public sealed class DirectoryLayerSettlerTests() : LayerSettlerSuite(new DirectoryBench());

public sealed class ImageLayerSettlerTests() : LayerSettlerSuite(new ImageBench());

public sealed class DirectoryLayerStackTests() : LayerStackSuite(new DirectoryBench());

public sealed class ImageLayerStackTests() : LayerStackSuite(new ImageBench());

public sealed class DirectoryDeepLayerTests() : DeepLayerSuite(new DirectoryBench());

public sealed class ImageDeepLayerTests() : DeepLayerSuite(new ImageBench());

public sealed class DirectoryLayerApplierTests() : LayerApplierSuite(new DirectoryBench());

public sealed class ImageLayerApplierTests() : LayerApplierSuite(new ImageBench());

public sealed class DirectoryDamagedFormatsTests() : DamagedFormatsSuite(new DirectoryBench());

public sealed class ImageDamagedFormatsTests() : DamagedFormatsSuite(new ImageBench());

public sealed class DirectoryHardLinkTests() : HardLinkSuite(new DirectoryBench());

public sealed class ImageHardLinkTests() : HardLinkSuite(new ImageBench());

public sealed class DirectoryDefaultAclTests() : DefaultAclSuite(new DirectoryBench());

public sealed class ImageDefaultAclTests() : DefaultAclSuite(new ImageBench());

public sealed class DirectoryXattrTests() : XattrSuite(new DirectoryBench());

public sealed class ImageXattrTests() : XattrSuite(new ImageBench());

public sealed class DirectoryLayerLimitsTests() : LayerLimitsSuite(new DirectoryBench());

public sealed class ImageLayerLimitsTests() : LayerLimitsSuite(new ImageBench());
