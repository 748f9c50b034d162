using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.AspNetCore.Server;
using ImageStore.Daemon.Auditing;
using ImageStore.Daemon.Authorization;
using ImageStore.Daemon.Hosting;
using ImageStore.Engine.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImageStore.Daemon.Tests.Authorization;

/// <summary>Walks over all methods that are served, so that none is without its place in the tables.</summary>
[UnconditionalSuppressMessage("Trimming", "IL2067", Justification = "Tests are not trimmed.")]
[UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "Tests are not trimmed.")]
public sealed class MethodRightsTests
{
    private static readonly string[] s_reading =
    [
        "Version", "Plugins", "Server", "PluginInfo", "Check", "Watch", "Get", "List", "ListStream", "ListResources", "Info", "Read", "Status",
        "ListStatuses", "Find", "Mounts", "Stat", "Usage", "Subscribe", "Stream", "ListPids", "Metrics", "Wait",
    ];

    public static TheoryData<string> Methods => [.. Mapped().Keys];

    [Fact]
    public void All_AreTheMethodsThatAreServed() =>
        Assert.Equal(Mapped().Keys.Order(StringComparer.Ordinal), MethodRights.All.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Methods))]
    public void Changes_WhateverDoesNotJustRead(string method) =>
        Assert.Equal(!s_reading.Contains(method.Split('/')[2]), MethodRights.All[method].Changes);

    [Theory]
    [MemberData(nameof(Methods))]
    public void NamedNamespace_OfAMethodThatNeedsIt_IsKnown(string method)
    {
        var name = NamedNamespace.Of(Filled(Mapped()[method]));
        Assert.Equal(MethodRights.All[method].Source == NamespaceSource.Request ? "text" : string.Empty, name);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void AuditSubject_OfAMethodThatChangesSomething_IsKnown(string method)
    {
        // What works in all namespaces at once is about nothing in particular.
        if (MethodRights.All[method] is { Changes: true, Source: not NamespaceSource.All })
        {
            Assert.Contains("text", AuditSubject.Of(Filled(Mapped()[method])) ?? string.Empty, StringComparison.Ordinal);
            Assert.Null(AuditSubject.Of(Activator.CreateInstance(Mapped()[method])));
        }
    }

    [Fact]
    public void NeededRights_OfNamespaces_AreThatOfAdministrators() => Assert.All(
        MethodRights.All.Where(one => one.Key.Contains(".Namespaces/", StringComparison.Ordinal) && one.Value.Changes),
        one => Assert.Equal(new MethodRight(AccessRights.Administer, NamespaceSource.Request), one.Value));

    /// <summary>The paths of all methods, each with its request's type.</summary>
    private static Dictionary<string, Type> Mapped()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddLogging();
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        var app = builder.Build();
        DaemonHost.MapServices(app);
        return ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints)
            .Select(endpoint => endpoint.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method).OfType<Grpc.Core.IMethod>()
            .ToDictionary(method => method.FullName, method => method.GetType().GetGenericArguments()[0]);
    }

    /// <summary>A message that has "text" in every string, also of the messages in it.</summary>
    private static IMessage Filled(Type type)
    {
        var message = (IMessage)Activator.CreateInstance(type)!;
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder().Where(field => !field.IsRepeated))
        {
            if (field.FieldType == FieldType.String)
            {
                field.Accessor.SetValue(message, "text");
            }
            else if (field.FieldType == FieldType.Message)
            {
                field.Accessor.SetValue(message, Filled(field.MessageType.ClrType));
            }
        }

        return message;
    }
}
